// Small controls.

import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { connection } from '../api/socket'
import type { Tone } from '../lib/containers'
import { Icon } from './icons'

export interface ButtonProps {
  label: string
  icon?: string
  onClick: () => void
  // kind: icon shows the icon only, and the label is its name.
  kind?: 'primary' | 'danger' | 'icon' | 'plain'
  disabled?: boolean
  busy?: boolean
}

// Button is a button that changes something: it works only while the daemon answers.
export function Button({ label, icon, onClick, kind = 'plain', disabled, busy }: ButtonProps) {
  const offline = connection.value.state === 'lost'
  return (
    <button type="button" class={`button ${kind}`} aria-label={kind === 'icon' ? label : undefined} title={kind === 'icon' ? label : undefined} disabled={disabled || offline || busy} onClick={onClick}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {kind !== 'icon' && <span>{label}</span>}
    </button>
  )
}

export function Status({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`status ${tone}`}>
      <span class="dot" aria-hidden="true" />
      <span>{children}</span>
    </span>
  )
}

export function Search({ value, onInput, label }: { value: string; onInput: (value: string) => void; label: string }) {
  const id = useId()
  return (
    <div class="search">
      <Icon name="search" />
      <label class="hidden" for={id}>
        {label}
      </label>
      <input id={id} type="search" placeholder={label} value={value} autocomplete="off" spellcheck={false} onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  )
}

export interface SelectProps {
  label: string
  value: string
  options: [value: string, text: string][]
  onChange: (value: string) => void
}

export function Select({ label, value, options, onChange }: SelectProps) {
  const id = useId()
  return (
    <span class="select">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </span>
  )
}

export function Check({ label, checked, onChange, disabled }: { label: ComponentChildren; checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  )
}

// Copy shows a text that can be copied.
export function Copy({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false)
  if (!text) return null
  return (
    <button
      type="button"
      class="button icon small"
      aria-label={copied ? `Copied ${what}` : `Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setCopied(true)
          setTimeout(() => setCopied(false), 1500)
        })
      }}
    >
      {copied ? '✓' : <Icon name="copy" />}
    </button>
  )
}

export interface Fact {
  name: string
  value: ComponentChildren
}

// Facts is a list of names and values. Those without a value are left out.
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="facts">
      {facts
        .filter((fact) => fact.value !== undefined && fact.value !== '' && fact.value !== null)
        .map((fact) => (
          <div key={fact.name}>
            <dt>{fact.name}</dt>
            <dd>{fact.value}</dd>
          </div>
        ))}
    </dl>
  )
}
