"""Potato's server in an environment of its own, with a person who has many labels already.

    python -m benchmarks.peers.potato_peer FOLDER PORT LABELS ROWS

FOLDER gets a task of one label a text, with so many rows; `ann` has labelled the first LABELS of them, through the same
calls as the server's own when a label is saved. The server runs until it is killed; people log in without a password.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

PERSON = "ann"
SCHEME = "kind"
LABELS = ("complaint", "question")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    for name in ("port", "labels", "rows"):
        parser.add_argument(name, type=int)
    asked = parser.parse_args()
    config = _written(asked.folder, rows=asked.rows)
    _serve(config, port=asked.port, labels=asked.labels)


def _written(folder: Path, *, rows: int) -> Path:
    """Writes a task; returns its configuration."""
    texts = [{"id": f"{row}", "text": f"{row} some words of a customer"} for row in range(rows)]
    (folder / "texts.json").write_text(
        "".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8"
    )
    scheme = {"annotation_type": "radio", "name": SCHEME, "description": "kind", "labels": LABELS}
    config = folder / "config.yaml"
    task = {
        "annotation_task_name": "kinds",
        "task_dir": ".",
        "output_annotation_dir": "annotation_output",
        "data_files": ["texts.json"],
        "item_properties": {"id_key": "id", "text_key": "text"},
        "annotation_schemes": [scheme],
        "user_config": {"allow_all_users": True, "users": []},
        "require_password": False,
        "max_annotations_per_user": rows,
        "assignment_strategy": "fixed_order",
        "host": "127.0.0.1",
    }
    config.write_text(json.dumps(task), encoding="utf-8")
    return config


def _serve(config: Path, *, port: int, labels: int) -> None:
    from flask import Flask
    from potato import flask_server  # type: ignore[import-not-found]

    run = Flask.run

    def seeded_run(app: Any, *arguments: Any, **named: Any) -> None:
        _label(app, labels)
        run(app, *arguments, **named)

    setattr(Flask, "run", seeded_run)  # noqa: B010 - it is no attribute of ours to assign
    os.chdir(config.parent)
    sys.argv = ["potato", "start", config.name, "--port", str(port)]
    flask_server.main()


def _label(app: Any, count: int) -> None:
    """Gives the person so many labels, as `/updateinstance` does, but saves once."""
    from potato.annotation_history import AnnotationHistoryManager  # type: ignore[import-not-found]
    from potato.item_state_management import Label, get_item_state_manager  # type: ignore[import-not-found]
    from potato.user_state_management import get_user_state_manager  # type: ignore[import-not-found]

    with app.test_client() as client:
        client.post("/auth", data={"email": PERSON, "pass": ""})
        client.get("/annotate")
    state = get_user_state_manager().get_user_state(PERSON)
    assigned = state.get_assigned_instance_ids()
    for number in range(count):
        row, label = str(number), LABELS[number % 2]
        if row not in assigned:
            sys.exit(f"row {row} is not assigned: {len(assigned)} rows are")
        action = AnnotationHistoryManager.create_action(
            user_id=PERSON,
            instance_id=row,
            action_type="add_label",
            schema_name=SCHEME,
            label_name=label,
            old_value=None,
            new_value=label,
        )
        state.annotation_history.append(action)
        state.instance_action_history[row].append(action)
        state.add_label_annotation(row, Label(SCHEME, label), label)
        get_item_state_manager().register_annotator(row, PERSON)
    get_user_state_manager().save_user_state(state)


if __name__ == "__main__":
    main()
