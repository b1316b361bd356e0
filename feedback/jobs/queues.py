"""The job queues in Redis: how they are reached, what may be put on them, and how full they are. What jobs do is in tasks.py.

A job is a hint and no more: a name from a fixed list and an id, in JSON. Whatever Redis loses, the database still knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import Redis, RedisError
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from feedback.kernel import outbox

T = TypeVar("T")

SWEEP, EVENTS, MAIL, CHORES = "sweep", "events", "mail", "chores"
QUEUES = (SWEEP, EVENTS, MAIL, CHORES)
"""In the order in which a worker empties them."""

FAILED_KEPT_SECONDS = 7 * 24 * 3600
WAITING_KEPT_SECONDS = 24 * 3600
SILENCE_SECONDS = 2.0
"""How long a process doesn't try again after Redis failed it, so that no submission waits for it twice."""


@dataclass(frozen=True)
class Task:
    """A kind of job: its function by name, its queue, after how many seconds it is cut off, of how many ids it takes care."""

    function: str
    queue: str
    seconds: int
    most: int = 1


TASKS: dict[str, Task] = {
    "sweep": Task("feedback.jobs.tasks.sweep", SWEEP, 120),
    "deliver": Task("feedback.jobs.tasks.deliver", EVENTS, 25, most=outbox.TOGETHER),
    "send": Task("feedback.jobs.tasks.send", MAIL, 35),
    "relay_due": Task("feedback.jobs.tasks.relay_due", CHORES, 60),
    "purge": Task("feedback.jobs.tasks.purge", CHORES, 300),
    "checkpoint": Task("feedback.jobs.tasks.checkpoint", CHORES, 300),
    "clean_files": Task("feedback.jobs.tasks.clean_files", CHORES, 600),
    "tidy_files": Task("feedback.jobs.tasks.tidy_files", CHORES, 600),
    "learn": Task("feedback.jobs.tasks.learn", CHORES, 1000),
    "learn_now": Task("feedback.jobs.tasks.learn_now", CHORES, 1000),
    "find_hot_topics": Task("feedback.jobs.tasks.find_hot_topics", CHORES, 300),
    "weigh_words": Task("feedback.jobs.tasks.weigh_words", CHORES, 120),
}
FUNCTIONS = frozenset(task.function for task in TASKS.values())


class UnlistedJob(Exception):
    """A job names a function that is none of ours: somebody else writes to this Redis."""


class ListedJob(Job):  # type: ignore[misc, unused-ignore]
    """A job that runs nothing but the functions of TASKS, and calls nobody back, whatever is written in Redis."""

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in FUNCTIONS:
            raise UnlistedJob(self.id)
        found: Callable[..., Any] = super().func
        return found

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


def quick_connection(redis_url: str) -> Redis:
    """For those who can't wait (web requests, the scheduler): half a second, one try."""
    return Redis.from_url(
        redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=0.5, socket_timeout=1.0, retry_on_error=[]
    )


def patient_connection(redis_url: str) -> Redis:
    """For workers, who have nothing else to do than wait for it."""
    return Redis.from_url(redis_url, retry=Retry(ExponentialBackoff(cap=2, base=0.1), 3), socket_connect_timeout=5)


class Queues:
    """The queues of one instance, for putting jobs on them. Nothing here raises because Redis is away."""

    def __init__(self, redis_url: str, connection: Redis | None = None) -> None:
        self.connection = connection or quick_connection(redis_url)
        self._silent_until = 0.0

    def queue(self, name: str) -> Queue:
        return Queue(name, connection=self.connection, serializer=JSONSerializer, job_class=ListedJob)

    def put(self, task: str, ids: Sequence[int] = ()) -> bool:
        """Put a job for each id or some of them (one without any for none); False where Redis was away: nothing is lost by it."""
        wanted = TASKS[task]
        arguments: Iterable[tuple[int, ...]] = [
            tuple(ids[start : start + wanted.most]) for start in range(0, len(ids), wanted.most)
        ] or [()]
        jobs = [
            Queue.prepare_data(
                wanted.function,
                args=args,
                timeout=wanted.seconds,
                result_ttl=0,
                ttl=WAITING_KEPT_SECONDS,
                failure_ttl=FAILED_KEPT_SECONDS,
                description=" ".join([task, *map(str, args)]),
            )
            for args in arguments
        ]
        return self._try(lambda: bool(self.queue(wanted.queue).enqueue_many(jobs))) or False

    def put_where_room(self, task: str, ids: Sequence[int], *, room: int) -> bool:
        """`put`, unless so many jobs wait already that whoever works them off finds these ids too; False: Redis was away."""
        waiting = self._try(lambda: self.queue(TASKS[task].queue).count)
        return waiting is not None and (waiting >= room or self.put(task, ids))

    def put_unless_waiting(self, task: str) -> bool:
        """Put one job of the task if none waits; False where Redis was away."""
        return bool(self._try(lambda: self._is_waiting(task))) or self.put(task)

    def _is_waiting(self, task: str) -> bool:
        wanted = TASKS[task]
        return any(job.func_name == wanted.function for job in self.queue(wanted.queue).get_jobs())

    def waiting(self) -> dict[str, int] | None:
        """Jobs that wait, by queue; None where Redis is away."""
        return self._try(lambda: {name: self.queue(name).count for name in QUEUES})

    def failed(self) -> dict[str, int] | None:
        """Jobs that failed within the last seven days, by queue; None where Redis is away."""
        return self._try(lambda: {name: FailedJobRegistry(queue=self.queue(name)).count for name in QUEUES})

    def is_up(self) -> bool:
        """Whether Redis answers now; asks even if it failed a moment ago."""
        self._silent_until = 0.0
        return self._try(lambda: self.queue(SWEEP).count) is not None

    def _try(self, ask: Callable[[], T]) -> T | None:
        """What `ask` answers; None where Redis is away, or was away just now."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            return ask()
        except (RedisError, OSError):
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            return None
