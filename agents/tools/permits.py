"""Whether a call may run: the policy of its tool, standing grants, and the approval of a person.

Everything that changes something here happens in a fenced transaction of the run, and is bound to what the tool
would be given: the validated arguments, the run, the place of the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from agents.models import Policy, Run
from agents.tools.base import Arguments, Preview, Tool, ToolContext
from agents.tools.policies import policy_of, set_policies
from tasks.models import Approval, ApprovalState, Grant
from tasks.services.approvals import asking, executing, grants
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.errors import Ambiguous, NotRunnable

if TYPE_CHECKING:
    from agents.processes.base import Process

KIND = "tool_call"
SHOWN = 120_000
OFF = "This tool is switched off by the organization's administrators. Do it another way, or say that you cannot."


@dataclass(frozen=True)
class Permit:
    """Let it run, refuse it with `refusal`, or wait. `allowed_by` names the approval or grant that let it through."""

    waits: bool = False
    refusal: str = ""
    allowed_by: str = ""


GRANTED = Permit()
WAITS = Permit(waits=True)


@dataclass(frozen=True)
class Call:
    """A call as permits see it: where it stands in the run, and exactly what the tool would be given."""

    tool: Tool
    parsed: Arguments
    key: str
    context: ToolContext

    @property
    def run(self) -> Run:
        return self.context.run

    @property
    def action(self) -> dict[str, Any]:
        return {
            "agent": self.run.agent_id,
            "arguments": self.parsed.model_dump(mode="json"),
            "call": self.key,
            "conversation": self.run.conversation_id,
            "run": self.run.pk,
            "tool": self.tool.name,
        }

    @property
    def digest(self) -> str:
        return digest_of(self.run.organization_id, KIND, self.action)

    @property
    def preview(self) -> Preview:
        return self.tool.preview(self.context, self.parsed) if self.tool.preview else Preview()


class Permits:
    """The policies of one execution. `seen` says whether the organization has set any, as far as the last look told."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.seen = process.claim.has_policies
        self._policies: dict[str, str] | None = None

    def look_again(self, has_policies: bool) -> None:
        """Take note of what a transaction that has just begun knows; policies are read anew in it."""
        self.seen, self._policies = has_policies, None

    def policy(self, tool: Tool) -> str:
        if not self.process.governed:
            return Policy.ALLOW
        if self._policies is None:
            run = self.process.run
            self._policies = set_policies(run.organization_id, run.agent_id) if self.seen else {}
        return policy_of(tool, self._policies)

    def judge(self, call: Call, *, spends: bool = True) -> Permit:
        """Decide about a call that has not begun. With `spends` a grant that covers it is used."""
        policy = self.policy(call.tool)
        if policy == Policy.ALLOW:
            return GRANTED
        if policy != Policy.ASK:
            return Permit(refusal=OFF)
        grant = grants.find_grant(
            asker_of(call.run), subject=call.tool.name, arguments=call.action["arguments"]
        )
        if grant is None:
            return WAITS
        if spends and not grants.spend(grant):
            return WAITS
        return Permit(allowed_by=f"grant:{grant.pk}")

    def ask(self, call: Call) -> Approval | str:
        """Ask for a person's approval; return it, or why nobody can be asked. The same call again finds the first."""
        preview = call.preview
        try:
            return asking.ask(
                asker_of(call.run),
                kind=KIND,
                subject=call.tool.name,
                action=call.action,
                origin_key=call.key,
                title=title_of(call),
                why=call.run.title or call.run.status_text,
                preview=preview.parts or (_arguments_part(call),),
                basis=preview.basis,
            )
        except Ambiguous as error:
            return f"This cannot be put to a person: {error}."

    def settle(self, call: Call) -> Permit:
        """Decide about a call that waits; an approval that lets it run is claimed for it here, and only here."""
        policy = self.policy(call.tool)
        if policy not in (Policy.ALLOW, Policy.ASK):
            reason = "the tool was switched off meanwhile"
            asking.withdraw_of_run(call.run.pk, reason=reason, origin_key=call.key)
            return Permit(refusal=OFF)
        approval = Approval.objects.filter(
            organization_id=call.run.organization_id, origin_key=call.key
        ).first()
        if approval is None:
            return self.judge(call)
        if approval.is_pending:
            return WAITS
        if approval.state != ApprovalState.APPROVED:
            return Permit(refusal=refusal_of(approval))
        try:
            executing.claim(approval.pk, digest=call.digest, basis=call.preview.basis)
        except (NotRunnable, Ambiguous) as error:
            return Permit(refusal=f"Not done: {error}.")
        return Permit(allowed_by=f"approval:{approval.pk}")

    def may_repeat(self, call: Call, allowed_by: str) -> bool:
        """Say whether a call that began and was interrupted may be run again; what let it through must still stand."""
        policy = self.policy(call.tool)
        if policy == Policy.ALLOW:
            return True
        if policy != Policy.ASK:
            return False
        what, _, number = allowed_by.partition(":")
        if not number.isdigit():
            return False
        if what == "grant":
            grant = Grant.objects.filter(organization_id=call.run.organization_id, pk=int(number)).first()
            return (
                grant is not None
                and grants.is_usable(grant, timezone.now())
                and grants.giver_may(grant, asker_of(call.run))
            )
        approval = Approval.objects.filter(
            organization_id=call.run.organization_id, pk=int(number), origin_key=call.key
        ).first()
        if approval is None or approval.state != ApprovalState.EXECUTED:
            return False
        try:
            executing.check_still_approved(approval, digest=call.digest)
        except NotRunnable:
            return False
        return True


def asker_of(run: Run) -> asking.Asker:
    return asking.Asker(
        organization_id=run.organization_id,
        agent_id=run.agent_id,
        run_id=run.pk,
        conversation_id=run.conversation_id,
        requester_user_id=run.requester_user_id,
        requester_person_id=run.requester_person_id,
    )


def refusal_of(approval: Approval) -> str:
    """Return what a model is told about an approval that lets nothing run."""
    words = {
        ApprovalState.REJECTED: "A person rejected this",
        ApprovalState.EXPIRED: "Nobody approved this in time",
        ApprovalState.WITHDRAWN: "The question was taken back",
    }.get(ApprovalState(approval.state), "Not done")
    reason = f": {approval.reason}" if approval.reason else ""
    return f"{words}{reason}. It was not done; do not try the same again unless you are asked to."


def title_of(call: Call) -> str:
    name = call.tool.name.replace("_", " ").capitalize()
    first = next(
        (value for value in call.action["arguments"].values() if isinstance(value, str) and value), ""
    )
    words = " ".join(first.split())
    return f"{name}: {words[:120]}{'…' if len(words) > 120 else ''}" if first else name


def _arguments_part(call: Call) -> dict[str, str]:
    """Show every argument; further lines of one are set in, so that none passes for another argument."""
    lines = (f"{name}: {value}".replace("\n", "\n    ") for name, value in call.action["arguments"].items())
    text = "\n".join(lines)
    if len(text) > SHOWN:
        text = f"{text[:SHOWN]}\n⟨{len(text) - SHOWN:,} more characters: the exact action shows them⟩"
    return {"label": call.tool.description, "form": "text", "text": text}
