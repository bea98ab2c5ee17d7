// A refusal, shown in the row or on the page of its object.

import { dismiss, failures } from '../store/actions'
import { Icon } from '../ui/icons'

// Refusal shows the error of a request, or what the engine refuses.
export function Refusal({ uid, text }: { uid: string; text: string }) {
  const failed = failures.value.get(uid)
  const shown = failed ?? text
  if (!shown) return null
  return (
    <p class="refusal" role="alert">
      <Icon name="warning" />
      <span>{shown}</span>
      {failed && (
        <button type="button" class="button icon small" aria-label="Dismiss this message" onClick={() => dismiss(uid)}>
          <Icon name="close" />
        </button>
      )}
    </p>
  )
}
