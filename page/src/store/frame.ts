// Changes of the stores reach the views once per animation frame, however many events
// arrive.

import { batch } from '@preact/signals'

const pending = new Set<() => void>()
let scheduled = false

// nextFrame runs a function in the next frame. The same function runs once.
export function nextFrame(publish: () => void): void {
  pending.add(publish)
  if (scheduled) return
  scheduled = true
  requestAnimationFrame(flush)
}

function flush(): void {
  scheduled = false
  const all = [...pending]
  pending.clear()
  batch(() => {
    for (const publish of all) publish()
  })
}
