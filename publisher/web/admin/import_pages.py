"""The pages /admin/readers/import: a file of people is received, rehearsed and imported, and an import is undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import SubscriberError
from publisher.publishing.waiting_files import UPLOADS, WaitingFile, WaitingFiles
from publisher.store.imports import FileImport, TakenBack
from publisher.subscribers.csv_columns import IGNORE
from publisher.subscribers.csv_file import FirstLook, look_at
from publisher.subscribers.csv_status import STATUS_NAMES
from publisher.web.admin.file_upload import MOST_BYTES, SentForm
from publisher.web.admin.import_runs import (
    ENCODINGS,
    FIELDS,
    FileChoices,
    FileRun,
    described,
    doubts,
    reading,
    run_import,
    told,
)
from publisher.web.responses import Flash, NotFoundError, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.background import Job
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_IMPORTS = 20
_COLUMNS = 60  # that can be chosen; a list of people has fewer
_SAMPLES = 3
_PATIENCE = 1.5  # seconds for which a response waits, in case the work is soon done
_BUSY = "Something else is being done at the moment. Please try again when it is finished."
_AS = {
    "": "What the file says (subscribed, if it says nothing)",
    "subscribed": "subscribed: they agreed to get email",
    "unconfirmed": "unconfirmed: they never agreed",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced: their address does not accept email",
    "complained": "complained: they reported spam",
    "suppressed": "suppressed: never to be emailed",
}


class ImportPages:
    """The handlers of /admin/readers/import and of /admin/readers/imports."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages
        self._files = WaitingFiles(context.config.state_dir / UPLOADS)

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        every, one = f"{self._pages.root}/readers/import", f"{self._pages.root}/readers/import/{{file}}"
        done = f"{self._pages.root}/readers/imports/{{number:int}}"
        return [
            Route(every, auth.get(self.overview), methods=["GET"]),
            Route(every, auth.post_with_file(self.receive, self._files.folder), methods=["POST"]),
            Route(one, auth.get(self.file), methods=["GET"]),
            Route(one, auth.post(self.press), methods=["POST"]),
            Route(done, auth.get(self.imported), methods=["GET"]),
            Route(done, auth.post(self.undo), methods=["POST"]),
            Route(f"{self._pages.root}/job/{{key}}.json", auth.get(self.progress), methods=["GET"]),
        ]

    def overview(self, request: Request, session: Session) -> Response:
        """Ask for a file, and list the imports."""
        self._files.tidy(datetime.now(UTC))
        found = self._context.store.imports.list()
        return self._page(
            request,
            session,
            "import.html",
            "Import subscribers",
            waiting=self._files.every(),
            imports=found[: -_IMPORTS - 1 : -1],
            total=len(found),
            newsletters=self._context.config.newsletters,
            most=MOST_BYTES,
        )

    def receive(self, request: Request, session: Session, sent: SentForm) -> Response:
        """Store a file that was sent, and go to its page; refuse a file that is not a list."""
        try:
            if not sent.name:
                raise SubscriberError("choose a file first")
            if not sent.path.stat().st_size:
                raise SubscriberError("the file is empty")
            waiting = self._files.keep(sent.path, sent.name, datetime.now(UTC))
            try:
                self._look(waiting.path, "")
            except SubscriberError:
                self._files.delete(waiting.token)
                raise
        except SubscriberError as error:
            return self._to("readers/import", Flash(told(error), is_bad=True))
        return self._to(f"readers/import/{waiting.token}")

    def file(self, request: Request, session: Session) -> Response:
        """Show the columns of a file, the result of the last rehearsal, or the progress of the import."""
        token = str(request.path_params["file"])
        job, waiting = self._context.jobs.find(f"import-{token}"), self._files.find(token)
        run = job.result if job and isinstance(job.result, FileRun) else None
        is_known = job is not None and (not job.is_over or (run is not None and not run.is_rehearsal))
        if waiting is None and not is_known:
            raise NotFoundError("this file is no longer here; send it again")
        if job is not None and (waiting is None or not job.is_over):
            return self._import_page(request, session, token, job, run)
        assert waiting is not None  # noqa: S101 - see above
        choices = run.choices if run else self._first_choices()
        look = self._look(waiting.path, choices.encoding)
        variables = self._asked(look, choices, run)
        return self._import_page(request, session, token, job, run, file=waiting.path.name, **variables)

    def press(self, request: Request, session: Session, form: Form) -> Response:
        """Rehearse the import of a file with the decisions in the form, import it as rehearsed, or delete it."""
        token = str(request.path_params["file"])
        waiting, job = self._files.find(token), self._context.jobs.find(f"import-{token}")
        before = job.result if job and isinstance(job.result, FileRun) else None
        # Pressed twice, or in a second tab: the page shows its progress or its result.
        if (job is not None and not job.is_over) or (waiting is None and before is not None):
            return self._to(f"readers/import/{token}")
        if waiting is None:
            return self._to("readers/import", Flash("This file is no longer here; send it again.", is_bad=True))
        if form.one("do") == "drop":
            self._files.delete(token)
            return self._to("readers/import", Flash("The file was deleted. Nothing was imported."))
        if form.one("do") == "import":
            if before is None or not before.may_be_imported:
                return self._to(f"readers/import/{token}", Flash("Check the file first.", is_bad=True))
            run = FileRun(before.choices, is_rehearsal=False, file=waiting.path.name)
        else:
            choices = FileChoices.of_form(form, self._context.newsletter_names)
            run = FileRun(choices, is_rehearsal=True)
        return self._begin(request, waiting, run)

    def _begin(self, request: Request, waiting: WaitingFile, run: FileRun) -> Response:
        client = self._context.clients.shown(request.scope)

        def work(job: Job) -> FileRun:
            """Rehearse the import of the file, or import it and record that."""
            run_import(self._context, waiting.path, run, job)
            if not run.is_rehearsal and run.report is not None:
                self._record(client, ActionKind.IMPORT, waiting.path.name, f"{run.report.rows:,} rows")
                self._files.delete(waiting.token)
            return run

        return self._start(f"import-{waiting.token}", work, f"readers/import/{waiting.token}")

    def imported(self, request: Request, session: Session) -> Response:
        """Show an import, and what undoing it would do or has done."""
        number = request.path_params["number"]
        found, job = self._import(number), self._context.jobs.find(f"undo-{number}")
        return self._page(
            request,
            session,
            "import_undo.html",
            f"Import of {found.file}",
            found=found,
            job=job,
            done=job.result if job and isinstance(job.result, TakenBack) else None,
        )

    def undo(self, request: Request, session: Session, form: Form) -> Response:
        """Rehearse undoing an import, or undo it."""
        found = self._import(request.path_params["number"])
        number = found.id
        rehearses = form.one("do") != "undo"
        here = f"readers/imports/{number}"
        if not rehearses and form.one("sure") != "yes":
            return self._to(here, Flash("Nothing was done: please tick the confirmation box.", is_bad=True))
        job = self._context.jobs.find(f"undo-{number}")
        shown = job.result if job and isinstance(job.result, TakenBack) else None
        client, context, total = self._context.clients.shown(request.scope), self._context, found.people + found.changed

        def work(job: Job) -> TakenBack:
            """Undo the import, or only rehearse undoing it."""

            def undone(*, dry_run: bool) -> TakenBack:
                """Undo the import in the database, or only count what would be undone."""
                return context.store.imports.undo(
                    number, context.now(), dry_run=dry_run, progress=lambda people: job.advance(people, total)
                )

            if rehearses or (would := undone(dry_run=True)) != shown:  # then the page asks again
                return undone(dry_run=True) if rehearses else would
            done = undone(dry_run=False)
            if done:
                self._record(client, ActionKind.UNDO_IMPORT, f"import {number}", f"{done.deleted:,} deleted")
            return done

        return self._start(f"undo-{number}", work, here)

    def progress(self, request: Request, session: Session) -> Response:
        """Return the progress of some work as JSON, for the script on the pages."""
        job = self._context.jobs.find(str(request.path_params["key"]))
        found = {"over": job is None or job.is_over, "done": job.done if job else 0, "of": job.of if job else 0}
        return JSONResponse(found, 200, owner_page_headers())

    def _first_choices(self) -> FileChoices:
        return FileChoices(newsletters=self._context.newsletter_names)

    def _look(self, path: Path, encoding: str) -> FirstLook:
        return look_at(path, encoding=encoding)

    def _asked(self, look: FirstLook, choices: FileChoices, run: FileRun | None) -> Mapping[str, Any]:
        """Return the variables of the form for a file."""
        columns = run.columns if run and run.columns else look.columns
        questions = {each.column: each for each in run.questions if each.column} if run else {}
        configured = {each.name for each in self._context.config.fields}
        shown = []
        for place, name in enumerate(look.header[:_COLUMNS]):
            cells = [row[place] for row in look.sample if place < len(row) and row[place]]
            question = questions.get(name)
            read = look.columns if place in choices.columns else columns
            shown.append(
                {
                    "place": place,
                    "name": name,
                    "samples": [cell[:60] for cell in dict.fromkeys(cells)][:_SAMPLES],
                    "chosen": choices.columns.get(place, ""),
                    "reading": reading(read, place, configured, surveyed=read is not look.columns),
                    "is_twice": name in look.header[:place],
                    "question": question,
                    "values": [
                        (each, choices.meanings.get((place, each), "")) for each in _values(question, choices, place)
                    ],
                }
            )
        return {
            "columns": shown,
            "more_columns": max(0, len(look.header) - _COLUMNS),
            "tool": columns.tool if columns else "",
            "look": look,
            "choices": choices,
            "fields": FIELDS,
            "ignore": IGNORE,
            "statuses": {name: words for name, words in _AS.items() if name or not look.is_bare},
            "status_names": list(STATUS_NAMES),
            "encodings": ENCODINGS,
            "newsletters": self._context.config.newsletters,
        }

    def _import_page(
        self, request: Request, session: Session, token: str, job: Job | None, run: FileRun | None, **variables: Any
    ) -> Response:
        report = run.report if run else None
        parts = list(described(report, is_rehearsal=run.is_rehearsal)) if run and report else []
        return self._page(
            request,
            session,
            "import_file.html",
            f"Import of {run.file}" if run and run.file else "Import subscribers",
            token_of_file=token,
            job=job,
            run=run,
            report=report,
            parts=parts,
            doubts=list(doubts(report)) if report else [],
            **variables,
        )

    def _start(self, key: str, work: Callable[[Job], object], here: str) -> Response:
        job = self._context.jobs.start(key, work)
        if job is None:
            return self._to(here, Flash(_BUSY, is_bad=True))
        job.wait(_PATIENCE)
        return self._to(here)

    def _import(self, number: int) -> FileImport:
        """Return an import. Raises NotFoundError if there is none with this number."""
        found = next((each for each in self._context.store.imports.list() if each.id == number), None)
        if found is None:
            raise NotFoundError("there is no such import")
        return found

    def _record(self, client: str, what: ActionKind, about: str, detail: str) -> None:
        self._context.record(client, what, about=about, detail=detail)

    def _to(self, path: str, flash: Flash | None = None) -> Response:
        said = f"?said={self._pages.flashes.add(flash)}" if flash else ""
        return RedirectResponse(f"{self._pages.root}/{path}{said}", 303, owner_page_headers())

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)


def _values(question: Any, choices: FileChoices, place: int) -> list[str]:
    """Return the values of a column whose meaning the owner is asked for, or has decided."""
    decided = [value for at, value in choices.meanings if at == place]
    return list(dict.fromkeys([*decided, *(question.values if question else ())]))
