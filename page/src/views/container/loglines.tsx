// The lines of a log. Only those that are visible are drawn.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { spans, stripped } from '../../lib/ansi'
import { localTime } from '../../lib/format'
import { mark, type LogLine } from '../../lib/log'
import { place, useVirtual } from '../../ui/virtual'

export interface LogViewProps {
  label: string
  lines: LogLine[]
  search: string
  follow: boolean
  times: boolean
  wrap: boolean
}

// A view that is this near to its end, in pixels, follows new lines.
const nearEnd = 30

export function LogView({ label, lines, search, follow, times, wrap }: LogViewProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const virtual = useVirtual({ count: lines.length, scroller, height: 20, overscan: 20, key: (index) => lines[index]?.number ?? index })
  useLayoutEffect(() => {
    if (follow && atEnd && lines.length > 0) virtual.show(lines.length - 1, 'end')
  }, [lines, follow, wrap, times])
  const scrolled = (): void => {
    const box = scroller.current
    if (box) setAtEnd(box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd)
  }
  return (
    <div class="log-box">
      <div class={wrap ? 'log wrap' : 'log'} role="log" aria-live="off" aria-label={label} tabIndex={0} ref={scroller} onScroll={scrolled}>
        <div class="spacer" style={{ height: `${virtual.height}px` }}>
          {virtual.items.map((item) => {
            const line = lines[item.index]
            return (
              line && (
                <div key={item.key} class="line" data-index={item.index} ref={virtual.measure} style={place(item)}>
                  {times && <time>{localTime(line.time)} </time>}
                  <Text text={line.text} search={search} />
                </div>
              )
            )
          })}
        </div>
      </div>
      {follow && !atEnd && (
        <button type="button" class="button to-end" onClick={() => virtual.show(lines.length - 1, 'end')}>
          Show the newest line
        </button>
      )}
    </div>
  )
}

// Text shows colors, or marks what the user searches for.
function Text({ text, search }: { text: string; search: string }) {
  if (search) {
    return <>{mark(stripped(text), search).map((part, i) => (part.marked ? <mark key={i}>{part.text}</mark> : part.text))}</>
  }
  return (
    <>
      {spans(text).map((span, i) =>
        span.classes ? (
          <span key={i} class={span.classes}>
            {span.text}
          </span>
        ) : (
          span.text
        ),
      )}
    </>
  )
}

// logText returns the lines with their times, as a file has them.
export function logText(lines: LogLine[]): string {
  return lines.map((line) => `${line.time} ${stripped(line.text)}\n`).join('')
}
