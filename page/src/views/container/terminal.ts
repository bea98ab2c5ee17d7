// The terminal. This file, with the library, is loaded when a shell is opened.

import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { exec } from '../../api/exec'
import { mirrorNamespace } from '../../store/resources'
import { useScriptStyles } from './scriptstyles'

export interface ShellOptions {
  element: HTMLElement
  name: string
  command: string[]
  ended: (why: string) => void
}

// openShell starts a program in a terminal. The returned function ends it.
export function openShell({ element, name, command, ended }: ShellOptions): () => void {
  const releaseStyles = useScriptStyles(document)
  const terminal = new Terminal({
    cursorBlink: true,
    fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: 13,
    scrollback: 5000,
    screenReaderMode: true,
    theme: { background: '#10141b', foreground: '#e6e9ef' },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(element)
  fit.fit()
  const running = exec(mirrorNamespace(), name, command, {
    output: (bytes) => {
      // The size is sent with the first output, when the program has its terminal.
      if (!sized) running.resize(terminal.cols, terminal.rows)
      sized = true
      terminal.write(bytes)
    },
    ended: (why) => {
      terminal.options.disableStdin = true
      terminal.options.cursorBlink = false
      ended(why)
    },
  })
  let sized = false
  terminal.onData((text) => running.write(text))
  terminal.onResize(({ cols, rows }) => running.resize(cols, rows))
  const resized = new ResizeObserver(() => fit.fit())
  resized.observe(element)
  terminal.focus()
  return () => {
    resized.disconnect()
    running.close()
    terminal.dispose()
    releaseStyles()
  }
}
