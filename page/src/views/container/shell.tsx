// A shell in a container.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, send } from '../../api/http'
import { namespaced } from '../../api/paths'
import type { Container } from '../../api/types'
import { containerName } from '../../lib/containers'
import { loadStyle } from '../../ui/loadstyle'
import { mirrorNamespace } from '../../store/resources'
import { Button } from '../../ui/controls'
import { Empty, Loading, Problem } from '../../ui/states'

// The shell of the image, or the best one that it has.
const command = ['sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash; exec sh']

export function Shell({ container }: { container: Container }) {
  const [session, setSession] = useState(1)
  const [ended, setEnded] = useState('')
  const running = container.status?.status === 'running'
  if (!running && !ended) {
    const paused = container.status?.status === 'paused'
    return <Empty title={paused ? 'The container is paused' : 'The container does not run'}>{paused ? 'Resume it to open a shell.' : 'Start it to open a shell.'}</Empty>
  }
  const again = (): void => {
    setEnded('')
    setSession(session + 1)
  }
  return (
    <div class="shell">
      {ended && (
        <Problem title={ended} next={<Button label="Open a new shell" icon="restart" disabled={!running} onClick={again} />} />
      )}
      <TerminalBox key={session} container={container} onEnd={setEnded} />
      <p class="detail">The keys are sent to the container, also Tab. Ctrl+Shift+E moves the focus out of the terminal.</p>
    </div>
  )
}

function TerminalBox({ container, onEnd }: { container: Container; onEnd: (why: string) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [loading, setLoading] = useState(true)
  const { name } = container.metadata
  useEffect(() => {
    let close: (() => void) | undefined
    let left = false
    const ended = (why: string): void => {
      if (why) onEnd(why)
      else void refusalOf(name).then(onEnd)
    }
    const open = async (): Promise<void> => {
      const [{ openShell }] = await Promise.all([import('./terminal'), loadStyle('terminal')])
      if (left || !box.current) return
      setLoading(false)
      close = openShell({ element: box.current, name, command, ended })
    }
    open().catch(() => onEnd('The terminal cannot be loaded: reload the page.'))
    return () => {
      left = true
      close?.()
    }
  }, [name])
  const leave = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey && event.shiftKey && event.key.toLowerCase() === 'e')) return
    event.preventDefault()
    event.stopPropagation()
    document.querySelector<HTMLElement>('.tabs a[aria-current]')?.focus()
  }
  return (
    <>
      {loading && <Loading what="the terminal" />}
      <div class="terminal-box" ref={box} role="group" aria-label={`Shell in ${containerName(container)}`} onKeyDownCapture={leave} />
    </>
  )
}

// refusalOf asks why a shell was refused, which a WebSocket does not say.
async function refusalOf(name: string): Promise<string> {
  try {
    await send(`${namespaced(mirrorNamespace(), 'containers', name, 'exec')}?command=sh`)
  } catch (err) {
    if (err instanceof ApiError && err.code !== 426 && err.code !== 400) return `The shell was refused: ${err.message}`
  }
  return 'The shell was refused, or the image has none.'
}
