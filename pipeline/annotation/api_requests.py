"""Reads what requests to the annotation API have in common: who asks, and numbers in the address."""

from starlette.requests import Request

from pipeline.annotation.door import token_of
from pipeline.annotation.people import People, Person, person_of
from pipeline.web.json_answers import RequestError


def asking_person(people: People, request: Request) -> Person:
    """The person whose token the request has.

    Raises:
        RequestError: 401.
    """
    token = token_of(request)
    person = person_of(people, token) if token else None
    if person is None:
        raise RequestError(
            401,
            got="no valid token",
            expected="the header Authorization: Bearer TOKEN, with the token of a person's link",
            next_step="open the link that `modelyard annotate` printed last",
            headers={"www-authenticate": "Bearer"},
        )
    return person


def asked_number(request: Request, name: str, *, usual: int, most: int) -> int:
    """The number that a request gives under a name, the usual one where it gives none.

    Raises:
        RequestError: 422.
    """
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= most):
        raise RequestError(
            422,
            got=f"{name}={text[:40]}",
            expected=f"a number from 0 to {most}",
            next_step=f"leave {name} out for {usual}",
        )
    return int(text)
