// One property of the settings.

import { useId } from 'preact/hooks'
import type { Field } from '../lib/schema'

export interface SettingFieldProps {
  field: Field
  text: string
  changed: boolean
  onInput: (text: string) => void
}

export function SettingField({ field, text, changed, onInput }: SettingFieldProps) {
  const id = useId()
  return (
    <div class={changed ? 'setting changed' : 'setting'}>
      <label for={id}>
        <code>{field.path}</code>
        {changed && <span class="badge">changed</span>}
      </label>
      <Input id={id} field={field} text={text} onInput={onInput} />
      <p id={`${id}-help`} class="detail">
        {field.description}
        {field.immutable && ' It cannot be changed here.'}
      </p>
    </div>
  )
}

function Input({ id, field, text, onInput }: { id: string; field: Field; text: string; onInput: (text: string) => void }) {
  const common = { id, name: field.path, 'aria-describedby': `${id}-help`, disabled: field.immutable }
  switch (field.type) {
    case 'boolean':
      return <input {...common} type="checkbox" checked={text === 'true'} onChange={(event) => onInput(String(event.currentTarget.checked))} />
    case 'choice':
      return (
        <select {...common} value={text} onChange={(event) => onInput(event.currentTarget.value)}>
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      )
    case 'list':
    case 'object':
      return (
        <textarea
          {...common}
          rows={Math.min(8, Math.max(2, text.split('\n').length))}
          spellcheck={false}
          placeholder={field.type === 'list' ? 'one in each line' : '{"debug": true}'}
          value={text}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )
    case 'integer':
      return <input {...common} type="number" min={field.minimum} max={field.maximum} placeholder={field.initial} value={text} onInput={(event) => onInput(event.currentTarget.value)} />
    default:
      return <input {...common} type="text" autocomplete="off" spellcheck={false} placeholder={field.initial} value={text} onInput={(event) => onInput(event.currentTarget.value)} />
  }
}
