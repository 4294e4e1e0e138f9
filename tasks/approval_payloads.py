"""Rows as the API shows them."""

from __future__ import annotations

from typing import Any

from tasks.models import Approval, ApprovalRule, Grant
from tasks.services.approvals.sight import visible


def approval_payload(approval: Approval, *, may_decide: bool) -> dict[str, Any]:
    asked_by = approval.requester_user or approval.requester_person
    return {
        "id": approval.pk,
        "kind": approval.kind,
        "subject": approval.subject,
        "title": approval.title,
        "why": visible(approval.why),
        "state": approval.state,
        "reason": approval.reason,
        "result": approval.result,
        "agent_id": approval.agent_id,
        "run_id": approval.run_id,
        "conversation_id": approval.conversation_id,
        "task_number": approval.task.number if approval.task else None,
        "goal_id": approval.goal_id,
        "schedule_id": approval.schedule_id,
        "requester": str(asked_by) if asked_by else None,
        "requester_user_id": approval.requester_user_id,
        "action": approval.action,
        "digest": approval.digest,
        "preview": [{**part, "text": visible(part["text"])} for part in approval.preview],
        "discussion": approval.discussion,
        "minimum_role": approval.minimum_role,
        "needed": approval.needed,
        "four_eyes": approval.four_eyes,
        "may_decide": may_decide,
        "decisions": [
            {
                "user_id": row.user_id,
                "name": str(row.user),
                "verdict": row.verdict,
                "comment": row.comment,
                "at": row.at,
            }
            for row in approval.decisions.all()
        ],
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "decided_at": approval.decided_at,
        "used_at": approval.used_at,
        "closed_at": approval.closed_at,
    }


def grant_payload(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.pk,
        "agent_id": grant.agent_id,
        "tool": grant.subject,
        "conversation_id": grant.conversation_id,
        "constraint": grant.constraint,
        "given_by": str(grant.given_by),
        "approval_id": grant.approval_id,
        "uses_left": grant.uses_left,
        "used": grant.used,
        "last_used_at": grant.last_used_at,
        "created_at": grant.created_at,
        "ends_at": grant.ends_at,
        "revoked_at": grant.revoked_at,
    }


def rule_payload(rule: ApprovalRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "agent_id": rule.agent_id,
        "kind": rule.kind,
        "subject": rule.subject,
        "minimum_role": rule.minimum_role,
        "needed": rule.needed,
        "four_eyes": rule.four_eyes,
        "expires_after_s": rule.expires_after_s,
    }
