// Dialogs. The browser keeps the focus inside and closes them with Escape.

import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { route, type Route } from './router'

export interface DialogProps {
  title: string
  onClose: () => void
  children: ComponentChildren
  footer?: ComponentChildren
}

export function Dialog({ title, onClose, children, footer }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    element.current?.showModal()
    return () => {
      if (before?.isConnected) before.focus()
      else document.getElementById('main')?.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onClose={onClose}
      onCancel={onClose}
      onClick={(event) => {
        if (event.target === element.current) onClose()
      }}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
        {footer && <div class="dialog-footer">{footer}</div>}
      </div>
    </dialog>
  )
}

interface Question {
  draw: (close: () => void) => ComponentChildren
  asked: Route
}

const question = signal<Question | undefined>(undefined)

// ask opens a dialog that is not part of the row with its button: a row that leaves the
// drawn part of its list would take the dialog with it. The dialog closes with its view.
export function ask(draw: Question['draw']): void {
  question.value = { draw, asked: route.value }
}

// Asked draws the dialog of ask.
export function Asked() {
  const { draw, asked } = question.value ?? {}
  if (!draw || asked !== route.value) return null
  return <>{draw(() => (question.value = undefined))}</>
}
