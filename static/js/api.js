// Requests to our own server: the organization and the CSRF token travel with each.
const { organization, csrf } = document.body.dataset;

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, "X-Organization": organization },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new Refused("The server cannot be reached.", 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.detail || answer.title || `The server answered ${response.status}.`, response.status);
  return answer;
}

// `whole` asks for the page as a browser would get it, not for the part that fits a drawer or dialog.
export async function fragment(url, { whole = false } = {}) {
  const response = await fetch(url, { headers: whole ? {} : { "X-Fragment": "1" }, signal: AbortSignal.timeout(20_000) });
  if (response.redirected && new URL(response.url).pathname.startsWith("/accounts/")) location.reload();
  if (!response.ok) throw new Refused(response.status === 404 ? "This is not there, or not yours to see." : `The server answered ${response.status}.`, response.status);
  return response.text();
}
