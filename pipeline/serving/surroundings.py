"""Holds what stands around the routes: counters, log and headers of each answer, and the proxy before the server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from pipeline.serving.access_log import AccessLog
from pipeline.serving.answer_watch import Watch
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.prefix import Prefixed
from pipeline.serving.prefix_rule import Network
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.tally import Tally


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """How a server is watched, and below which prefix its requests come.

    Attributes:
        environment: of a worker, in which its supervisor told it where to count; empty counts for itself.
        root_path: prefix that a proxy leaves on paths, such as `/model`; empty for none.
        trusted: networks of proxies that may name another prefix, besides the loopback.
        access_log: None writes none.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    root_path: str = ""
    trusted: tuple[Network, ...] = ()
    access_log: AccessLog | None = None

    def watch(
        self, routes: Iterable[BaseRoute], holder: ModelHolder, scheduler: Scheduler
    ) -> Watch:
        """Makes what counts and logs the answers."""
        paths: dict[int, str] = {}
        for route in routes:
            if isinstance(route, Mount | Route):
                endpoint = route.app if isinstance(route, Mount) else route.endpoint
                # Two paths of one endpoint are counted as the first.
                paths.setdefault(id(endpoint), route.path)
        tally = Tally([*dict.fromkeys(paths.values())], self.environment)
        return Watch(
            holder=holder,
            scheduler=scheduler,
            tally=tally,
            routes=paths,
            access_log=self.access_log,
        )

    def prefixed(self) -> Middleware:
        """The layer that takes a proxy's prefix off."""
        return Middleware(Prefixed, root_path=self.root_path, trusted=self.trusted)
