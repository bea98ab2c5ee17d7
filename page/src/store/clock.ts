// The time that ages are relative to. It stands still while the page is hidden.

import { signal } from '@preact/signals'

export const now = signal(Date.now())

function tick(): void {
  if (!document.hidden) now.value = Date.now()
}

setInterval(tick, 1000)
document.addEventListener('visibilitychange', tick)
