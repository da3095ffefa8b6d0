// How a screen talks to the server, and the links from screen to screen. The token of a person stands in the fragment,
// which a browser never sends, and goes with each link.

export const token = location.hash.slice(1);

// A screen, its path, the phrase of its link, and who may open it: everybody where no roles are named.
const VIEWS = [
  { path: "/", phrase: "view_label" },
  { path: "/guide", phrase: "view_guide" },
  { path: "/adjudicate", phrase: "view_adjudicate", roles: ["adjudicator", "lead"] },
  { path: "/mistakes", phrase: "view_mistakes", roles: ["adjudicator", "lead"] },
  { path: "/board", phrase: "view_board", roles: ["lead"] },
  { path: "/board", phrase: "view_pace", roles: ["annotator", "adjudicator"] },
];

export const call = (path, options = {}) => fetch(path, {
  ...options, headers: { ...options.headers, authorization: `Bearer ${token}` }, cache: "no-store",
});

// The id of a new event. Not crypto.randomUUID, which there is on encrypted pages and this machine alone.
export const newUid = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Fills <span id="views"> with links to the other screens that the person may open.
export function paintViews(role, say) {
  const links = VIEWS.filter(({ path, roles }) => path !== location.pathname && (!roles || roles.includes(role))).map(({ path, phrase }) => {
    const link = document.createElement("a");
    link.href = `${path}#${token}`;
    link.textContent = say(phrase);
    return link;
  });
  document.getElementById("views").replaceChildren(...links);
}
