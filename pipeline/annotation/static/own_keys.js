// The dialog in which a person gives labels and commands keys of one's own: choose a line, press the new key.

import { actionsOf, isFree, nameKeys, placesOf, signOf, withKey } from "./keys.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]);

// Opens the dialog. `labels` have their usual keys; `changed(own)` hears of every change; `nameOf(action)` names an action.
export class OwnKeys {
  constructor({ dialog, list, said, reset }, { say, nameOf, changed }) {
    Object.assign(this, { dialog, list, said, say, nameOf, changed });
    this.waiting = null;
    dialog.addEventListener("keydown", (event) => this.press(event));
    dialog.addEventListener("cancel", (event) => this.waiting && event.preventDefault());
    dialog.addEventListener("close", () => this.stop());
    reset.addEventListener("click", () => {
      this.take({});
      said.textContent = say("keys_usual");
    });
  }

  open(labels, own, { typesNumber }) {
    Object.assign(this, { actions: actionsOf(typesNumber ? [] : labels).filter((action) => this.nameOf(action)), own, typesNumber });
    this.every = actionsOf(typesNumber ? [] : labels);
    this.said.textContent = "";
    this.paint();
    this.dialog.showModal();
  }

  paint() {
    const places = placesOf(this.every, this.own);
    this.list.replaceChildren(...this.actions.map((action) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.id = action.id;
      const name = document.createElement("span");
      name.textContent = this.nameOf(action);
      const sign = document.createElement("kbd");
      const place = places.get(action.id);
      if (place) sign.dataset.place = place;
      sign.textContent = place ? signOf(place) : "–";
      button.append(name, sign);
      button.addEventListener("click", () => this.ask(action, button));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    nameKeys();
  }

  ask(action, button) {
    this.stop();
    this.waiting = { action, button };
    button.setAttribute("aria-pressed", "true");
    this.said.textContent = this.say("press_key", { name: this.nameOf(action) });
  }

  stop() {
    this.waiting?.button.removeAttribute("aria-pressed");
    this.waiting = null;
  }

  press(event) {
    if (!this.waiting || MODIFIERS.has(event.key)) return;
    if (event.code === "Tab") {
      this.stop();
      this.said.textContent = "";
      return;
    }
    event.preventDefault();
    if (event.repeat) return;
    if (event.code === "Escape") {
      this.stop();
      this.said.textContent = this.say("key_kept");
      return;
    }
    this.give(event.code);
  }

  give(code) {
    const { action, swap } = this.waiting;
    if (!isFree(code, this)) {
      this.said.textContent = this.say("key_taken");
      return;
    }
    const { own, clash } = withKey(this.own, { actions: this.every, id: action.id, code, swap: swap === code });
    if (clash) {
      this.waiting.swap = code;
      this.said.textContent = this.say("key_clash", { key: signOf(code), name: this.nameOf(clash) ?? clash.id });
      return;
    }
    this.stop();
    this.take(own);
    this.said.textContent = this.say("key_given", { key: signOf(code), name: this.nameOf(action) });
    this.list.querySelector(`[data-id="${CSS.escape(action.id)}"]`).focus();
  }

  take(own) {
    this.stop();
    this.own = own;
    this.changed(own);
    this.paint();
  }
}
