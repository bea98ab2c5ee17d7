// Results of actions that a screen reader says, and that the page shows elsewhere.

import { signal } from '@preact/signals'

const message = signal('')

export function announce(text: string): void {
  message.value = text
}

export function Announcer() {
  return (
    <div class="hidden" role="status" aria-live="polite">
      {message.value}
    </div>
  )
}
