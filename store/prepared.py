"""Statements that are compiled once for each dialect, and run on the driver's cursor inside the open transaction.

`session.execute` works out each time what a statement means, and wraps what comes back; for the statements of a turn,
a mail or an answer that takes many times as long as the database does. A `Prepared` keeps the SQL text and the
conversions of values and columns. Otherwise it is what `session.execute` is: the same transaction, the same errors,
no write outside of `Database.begin()`, and what the ORM has still to write is written first. Rows are named tuples.
Nothing here may know what the tables mean.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import BindParameter, Dialect, Executable, Insert, Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from store.columns import Base
from store.database import WRITES, WriteOutsideBegin, as_sqlalchemy_has_it, putting_in
from store.sqlite import Connection

Values = Mapping[str, Any]
Process = Callable[[Any], Any]
NONE: Values = {}
LONGEST_PADDED = 512
"""A list of so many values or fewer is filled up to a power of two with its last value, which changes nothing about
what is in it: so a statement has few texts, and drivers keep them prepared."""
_RUNNING = "prepared"
"""Where a session keeps what its transaction runs on."""


class Prepared:
    """One statement, or a function that makes it for a dialect (`sqlite`, `postgresql`).

    All methods raise what `session.execute` raises.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    async def all(self, session: AsyncSession, values: Values = NONE) -> list[Any]:
        """All rows."""
        rows, _ = await self._run(session, (values,))
        return rows

    async def one_or_none(self, session: AsyncSession, values: Values = NONE) -> Any:
        """The first row; None where there is none."""
        rows, _ = await self._run(session, (values,))
        return rows[0] if rows else None

    async def scalar(self, session: AsyncSession, values: Values = NONE) -> Any:
        """The first column of the first row; None where there is none."""
        rows, _ = await self._run(session, (values,))
        return rows[0][0] if rows else None

    async def scalars(self, session: AsyncSession, values: Values = NONE) -> list[Any]:
        """The first column of all rows."""
        rows, _ = await self._run(session, (values,))
        return [row[0] for row in rows]

    async def write(self, session: AsyncSession, *rows: Values) -> int:
        """Write once for each of these; how many rows of the table it changed. Without any there is nothing to do.

        All have the same keys, and lists of the same length; the keys of an INSERT are its columns.
        """
        if not rows:
            return 0
        _, count = await self._run(session, rows)
        return count

    async def _run(self, session: AsyncSession, rows: Sequence[Values]) -> tuple[list[Any], int]:
        running = await _Running.of(session)
        compiled = self._for(running.dialect, rows[0])
        if compiled.writes and not running.may_write:
            raise WriteOutsideBegin("a session for reading must not write; open it by Database.begin()")
        text = compiled.text
        try:
            text, bound = compiled.bound(rows[0])
            if len(rows) > 1:
                return [], await running.execute_many(text, [bound, *(compiled.bound(row)[1] for row in rows[1:])])
            found, count = await running.execute(text, bound)
            return compiled.rows(found), count
        except BaseException as error:
            raise await running.failure(error, text) from error

    def _for(self, dialect: Dialect, values: Values) -> _Compiled:
        key = (dialect.name, tuple(values))
        compiled = self._compiled.get(key)
        if compiled is None:
            statement = self._statement(dialect.name) if callable(self._statement) else self._statement
            compiled = self._compiled[key] = _Compiled(statement, dialect, key[1])
        return compiled


def putting(table: type[Base], identity: tuple[str, ...], over: tuple[str, ...] = ()) -> Prepared:
    """`store.database.putting`, prepared."""
    return Prepared(lambda dialect: putting_in(dialect, table, identity, over))


class _Running:
    """What the transaction of a session runs on."""

    def __init__(self, session: AsyncSession, connection: AsyncConnection) -> None:
        sync = connection.sync_connection
        assert sync is not None
        self.session = session
        self.connection = connection
        self.transaction = session.sync_session.get_transaction()
        self.dialect = sync.dialect
        self.may_write = bool(sync.get_execution_options().get(WRITES))
        self.driver: Any = sync.connection.driver_connection
        self.sync = sync

    @classmethod
    async def of(cls, session: AsyncSession) -> _Running:
        """That of this session, in which nothing of the ORM waits to be written."""
        sync = session.sync_session
        running: _Running | None = sync.info.get(_RUNNING)
        if running is None or running.transaction is not sync.get_transaction():
            running = sync.info[_RUNNING] = cls(session, await session.connection())
        if sync.new or sync.dirty or sync.deleted:
            await session.flush()
        return running

    def tell(self, text: str, bound: Any, *, many: bool = False) -> None:
        """Tell those who listen to SQLAlchemy's statements of this one."""
        for listener in self.sync.dispatch.before_cursor_execute:
            listener(self.sync, None, text, bound, None, many)

    async def execute(self, text: str, bound: Any) -> tuple[list[Any], int]:
        """The rows, and how many were changed."""
        self.tell(text, bound)
        if isinstance(self.driver, Connection):
            return await self.driver.run(text, bound)
        async with self.driver.cursor() as cursor:
            await cursor.execute(text, bound)
            return await cursor.fetchall() if cursor.description else [], cursor.rowcount

    async def execute_many(self, text: str, bound: Sequence[Any]) -> int:
        """How many rows were changed."""
        self.tell(text, bound, many=True)
        if isinstance(self.driver, Connection):
            return await self.driver.run_many(text, bound)
        async with self.driver.cursor() as cursor:
            await cursor.executemany(text, bound)
            return cursor.rowcount

    async def failure(self, error: BaseException, text: str) -> BaseException:
        """The error as SQLAlchemy raises it, without any value. A connection that is lost, or was left while it
        answered, is given up."""
        sync, dialect = self.sync, self.dialect
        lost = not isinstance(error, Exception)
        if isinstance(error, dialect.loaded_dbapi.Error) and not sync.closed:
            lost = dialect.is_disconnect(error, sync.connection.dbapi_connection, None)
        if lost:
            self.session.sync_session.info.pop(_RUNNING, None)
            await self.connection.invalidate(error)
        return as_sqlalchemy_has_it(error, text, dialect, lost=lost)


class _Bind(NamedTuple):
    """A value that a statement is given: its name in the text, and its key among the values."""

    name: str
    key: str
    process: Process | None = None


class _Text(NamedTuple):
    """The text for lists of certain lengths."""

    text: str
    order: tuple[str, ...] | None
    """The names of its values, where they have no names in the text."""
    elements: tuple[tuple[_Bind, ...], ...]
    """The values of each list that is given."""
    fixed: dict[str, Any]
    """The values of lists that stand in the statement."""


class _Compiled:
    """A statement for one dialect and values with these keys, which are the columns of an INSERT."""

    def __init__(self, statement: Executable, dialect: Dialect, keys: tuple[str, ...]) -> None:
        clause = cast("Select[Any]", statement)
        options: dict[str, Any] = {"for_executemany": True}
        if isinstance(statement, Insert):
            options["column_keys"] = keys
        compiler = clause.compile(dialect=dialect, **options)
        assert isinstance(compiler, SQLCompiler)
        self.writes = clause.is_dml
        self.text = compiler.string
        self._dialect = dialect
        self._compiler = compiler
        self._fixed: dict[str, Any] = {}
        self._makers: list[tuple[str, Callable[[], Any]]] = []
        self._binds: list[_Bind] = []
        self._lists: list[_Bind] = []
        self._texts: dict[tuple[int, ...], _Text] = {}
        defaults = {column.key: column.default for column in compiler.insert_prefetch or ()}
        for bind, name in compiler.bind_names.items():
            self._take(bind, name, bind.required or bind.key in keys, defaults.get(bind.key))
        found = [(column.key or "", column.type) for column in clause.exported_columns]
        self._row = namedtuple("Row", [name for name, _ in found], rename=True)._make
        processes = [self._of_column(type_) for _, type_ in found]
        self._processes = [(nth, process) for nth, process in enumerate(processes) if process is not None]

    def _take(self, bind: BindParameter[Any], name: str, given: bool, default: Any) -> None:
        if bind.expanding:
            if given:
                self._lists.append(_Bind(name, bind.key))
            return
        process = bind.type.dialect_impl(self._dialect).bind_processor(self._dialect) or _as_it_is
        if given:
            self._binds.append(_Bind(name, bind.key, None if process is _as_it_is else process))
        elif default is not None and default.is_callable:
            self._makers.append((name, lambda: process(default.arg(None))))
        else:
            self._fixed[name] = process(bind.effective_value if default is None else default.arg)

    def _of_column(self, type_: TypeEngine[Any]) -> Process | None:
        return type_.dialect_impl(self._dialect).result_processor(self._dialect, None)

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows of the driver with their columns converted."""
        if not self._processes:
            return list(map(self._row, found))
        rows: list[Any] = []
        for row in found:
            columns = list(row)
            for nth, process in self._processes:
                columns[nth] = process(columns[nth])
            rows.append(self._row(columns))
        return rows

    def bound(self, values: Values) -> tuple[str, Any]:
        """The text for these values, and they as the driver takes them."""
        bound = dict(self._fixed)
        for name, make in self._makers:
            bound[name] = make()
        for name, key, process in self._binds:
            bound[name] = values[key] if process is None else process(values[key])
        text = self._text_for(values, bound)
        return text.text, bound if text.order is None else tuple(map(bound.__getitem__, text.order))

    def _text_for(self, values: Values, bound: dict[str, Any]) -> _Text:
        """The text for lists as long as these, whose values are put among those that are bound."""
        lists = [_padded(values[list_.key]) for list_ in self._lists]
        shape = tuple(map(len, lists))
        text = self._texts.get(shape)
        if text is None:
            text = self._texts[shape] = self._expanded(values, lists)
        bound.update(text.fixed)
        for elements, list_ in zip(text.elements, lists, strict=True):
            for (name, _, process), value in zip(elements, _flat(list_), strict=True):
                bound[name] = value if process is None else process(value)
        return text

    def _expanded(self, values: Values, lists: Sequence[Sequence[Any]]) -> _Text:
        given = {list_.key: elements for list_, elements in zip(self._lists, lists, strict=True)}
        expanded = self._compiler.construct_expanded_state({**values, **given})
        names = dict(expanded.parameter_expansion)
        elements = [
            tuple(_Bind(name, "", expanded.processors.get(name)) for name in names.pop(list_.name))
            for list_ in self._lists
        ]
        fixed = {
            name: expanded.processors.get(name, _as_it_is)(expanded.parameters[name])
            for own in names.values()
            for name in own
        }
        order = None if expanded.positiontup is None else tuple(expanded.positiontup)
        return _Text(expanded.statement, order, tuple(elements), fixed)


def _as_it_is(value: Any) -> Any:
    return value


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """As many values as the next power of two, by more of the last one."""
    many = len(values)
    wanted = 1 << (many - 1).bit_length()
    if many in (0, wanted) or many > LONGEST_PADDED:
        return values
    return [*values, *[values[-1]] * (wanted - many)]


def _flat(values: Sequence[Any]) -> Sequence[Any]:
    """The values of a list, or those of its tuples one after the other."""
    return [value for each in values for value in each] if values and isinstance(values[0], tuple) else values
