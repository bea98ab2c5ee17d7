// Requests to the daemon that serves this page.

import { signal } from '@preact/signals'

// signedOut is set when the daemon does not accept the session of this browser.
export const signedOut = signal(false)

// ApiError is an answer that is no success. Its message says what failed and why.
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

// send sends a request, and returns the response of a success.
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' })
  } catch (err) {
    if (init.signal?.aborted) throw err
    throw new ApiError(0, 'Unreachable', 'The daemon does not answer: run “rdd svc start”.')
  }
  if (response.status === 401) signedOut.value = true
  if (!response.ok) throw await failure(response)
  return response
}

// failure returns the error of a response. The API server answers with a Status.
async function failure(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string }
    if (status.message) return new ApiError(response.status, status.reason ?? '', readable(status.message))
  } catch {
    // The text is no JSON, and is the message.
  }
  return new ApiError(response.status, response.statusText, text.trim() || `The daemon answers with status ${response.status}.`)
}

// readable returns the message of a Status without the part that names the policy.
export function readable(message: string): string {
  const denied = /denied request: (.*)$/s.exec(message)
  return denied?.[1] ?? message
}

// getJSON reads an object.
export async function getJSON<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, { headers: { Accept: 'application/json' }, signal: signal ?? null })
  return (await response.json()) as T
}

// sendJSON writes an object, and returns the answer.
export async function sendJSON<T>(method: string, path: string, body: unknown, type = 'application/json'): Promise<T> {
  const response = await send(path, {
    method,
    headers: { Accept: 'application/json', 'Content-Type': type },
    body: JSON.stringify(body),
  })
  return (await response.json()) as T
}

// errorText returns the message of anything that was thrown.
export function errorText(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
