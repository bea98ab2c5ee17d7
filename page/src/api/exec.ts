// Runs a program in a container, over the WebSocket protocol of Kubernetes
// (v5.channel.k8s.io): the first byte of each message is the number of its channel.

import { namespaced } from './paths'

const stdin = 0
const stdout = 1
const stderr = 2
const result = 3
const resize = 4

export interface ExecHandler {
  output(bytes: Uint8Array): void
  // ended is called once, with why the program does not run any more.
  ended(why: string): void
}

export interface Exec {
  write(text: string): void
  resize(width: number, height: number): void
  close(): void
}

interface Status {
  status?: string
  message?: string
  reason?: string
  details?: { causes?: { reason?: string; message?: string }[] }
}

// exec starts a program with a terminal.
export function exec(namespace: string, name: string, command: string[], handler: ExecHandler): Exec {
  const url = new URL(namespaced(namespace, 'containers', name, 'exec'), location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  for (const word of command) url.searchParams.append('command', word)
  url.searchParams.set('stdin', 'true')
  url.searchParams.set('stderr', 'false')
  url.searchParams.set('tty', 'true')
  const socket = new WebSocket(url, ['v5.channel.k8s.io'])
  socket.binaryType = 'arraybuffer'
  let isOpen = false
  let why = ''
  socket.onopen = () => {
    isOpen = true
  }
  socket.onmessage = (message) => {
    const bytes = new Uint8Array(message.data as ArrayBuffer)
    if (bytes[0] === stdout || bytes[0] === stderr) handler.output(bytes.subarray(1))
    if (bytes[0] === result) why = resultText(new TextDecoder().decode(bytes.subarray(1)))
  }
  socket.onclose = () => handler.ended(why || (isOpen ? 'The connection is lost.' : ''))
  const sendTo = (channel: number, text: string): void => {
    if (socket.readyState !== WebSocket.OPEN) return
    const body = new TextEncoder().encode(text)
    const message = new Uint8Array(body.length + 1)
    message[0] = channel
    message.set(body, 1)
    socket.send(message)
  }
  return {
    write: (text) => sendTo(stdin, text),
    resize: (Width, Height) => sendTo(resize, JSON.stringify({ Width, Height })),
    close: () => {
      socket.onclose = null
      socket.close()
    },
  }
}

// resultText says how a program ended.
export function resultText(text: string): string {
  let status: Status
  try {
    status = JSON.parse(text) as Status
  } catch {
    return text
  }
  if (status.status === 'Success') return 'The shell has ended.'
  const code = status.details?.causes?.find((c) => c.reason === 'ExitCode')?.message
  return code ? `The shell has ended with exit code ${code}.` : (status.message ?? 'The shell has ended.')
}
