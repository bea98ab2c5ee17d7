// Reads the log of a container.

import { ApiError, errorText, send } from '../../api/http'
import { namespaced, query } from '../../api/paths'
import { LogBuffer, type LogLine } from '../../lib/log'
import { mirrorNamespace } from '../../store/resources'
import { nextFrame } from '../../store/frame'

export interface LogOptions {
  name: string
  follow: boolean
  // since is a number of seconds; 0 is the whole log.
  since: number
  stream: string
  tail: number
}

export interface LogState {
  state: 'loading' | 'following' | 'ended' | 'failed'
  lines: LogLine[]
  dropped: number
  error?: string
}

const firstPause = 500
const lastPause = 5000
// rdd ends a log that the engine did not end with a line that begins so.
const cutLine = 'rdd: the log ends here'

// readLog calls show with the log, at most once per frame, until the returned function is
// called. It reads the log again when the engine or the daemon did not answer.
export function readLog(options: LogOptions, show: (state: LogState) => void): () => void {
  const abort = new AbortController()
  let buffer = new LogBuffer()
  let current: Omit<LogState, 'lines' | 'dropped'> = { state: 'loading' }
  const publish = (): void => {
    if (!abort.signal.aborted) show({ ...current, lines: buffer.lines, dropped: buffer.dropped })
  }
  const set = (next: typeof current): void => {
    current = next
    nextFrame(publish)
  }
  const read = async (): Promise<void> => {
    const response = await send(path(options), { signal: abort.signal })
    buffer = new LogBuffer()
    set({ state: options.follow ? 'following' : 'loading' })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      buffer.push(chunk.value)
      nextFrame(publish)
    }
    buffer.end()
    const last = buffer.lines.at(-1)?.text
    if (options.follow && last?.startsWith(cutLine)) throw new ApiError(503, 'Cut', last)
  }
  const readAgain = async (pause: number): Promise<void> => {
    try {
      await read()
      set({ state: 'ended' })
    } catch (err) {
      if (abort.signal.aborted) return
      set({ state: 'failed', error: textOf(err) })
      if (!isTemporary(err)) return
      await new Promise((resolve) => setTimeout(resolve, pause))
      if (!abort.signal.aborted) await readAgain(Math.min(pause * 2, lastPause))
    }
  }
  void readAgain(firstPause)
  return () => abort.abort()
}

// isTemporary reports whether the same request can succeed later. An error without a code
// is a connection that broke.
function isTemporary(err: unknown): boolean {
  return !(err instanceof ApiError) || err.code === 0 || err.code === 429 || err.code >= 500
}

function textOf(err: unknown): string {
  if (err instanceof ApiError && err.code !== 0) return errorText(err)
  return 'The connection to the daemon is lost. The log continues when the daemon answers.'
}

function path({ name, follow, since, stream, tail }: LogOptions): string {
  return query(namespaced(mirrorNamespace(), 'containers', name, 'log'), {
    follow: follow ? 'true' : undefined,
    timestamps: 'true',
    tailLines: tail,
    sinceSeconds: since || undefined,
    stream: stream || undefined,
  })
}
