// A menu of actions that a button opens.

import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { connection } from '../api/socket'
import { Icon } from './icons'

export interface MenuItem {
  label: string
  icon?: string
  danger?: boolean
  onSelect: () => void
}

export function Menu({ label, items }: { label: string; items: MenuItem[] }) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  const close = (): void => {
    setOpen(false)
    button.current?.focus()
  }
  if (items.length === 0) return null
  return (
    <>
      <button ref={button} type="button" class="button icon" aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} disabled={connection.value.state === 'lost'} onClick={() => setOpen(!open)}>
        <Icon name="more" />
      </button>
      {open && <Items id={id} label={label} items={items} anchor={button.current} close={close} abandon={() => setOpen(false)} />}
    </>
  )
}

interface ItemsProps {
  id: string
  label: string
  items: MenuItem[]
  anchor: HTMLElement | null
  // close returns the focus to the button, and abandon leaves it where it is.
  close: () => void
  abandon: () => void
}

function Items({ id, label, items, anchor, close, abandon }: ItemsProps) {
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = menu.current
    if (!element || !anchor) return
    // The top layer is above the list, which would cut off the menu.
    element.showPopover()
    put(element, anchor)
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const outside = (event: Event): void => {
      const target = event.target as Node
      if (!element.contains(target) && !anchor.contains(target)) abandon()
    }
    document.addEventListener('pointerdown', outside)
    addEventListener('scroll', abandon, true)
    return () => {
      document.removeEventListener('pointerdown', outside)
      removeEventListener('scroll', abandon, true)
    }
  }, [])
  return (
    <div id={id} ref={menu} class="menu" role="menu" aria-label={label} popover="manual" onKeyDown={(event) => onKey(event, close)}>
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          class={item.danger ? 'danger' : ''}
          tabIndex={-1}
          onClick={() => {
            close()
            item.onSelect()
          }}
        >
          {item.icon && <Icon name={item.icon} />}
          {item.label}
        </button>
      ))}
    </div>
  )
}

function put(menu: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect()
  const { width, height } = menu.getBoundingClientRect()
  const below = at.bottom + 4 + height < innerHeight
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`
}

function onKey(event: KeyboardEvent & { currentTarget: HTMLElement }, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=menuitem]')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const focus = (index: number): void => items[(index + items.length) % items.length]?.focus()
  switch (event.key) {
    case 'ArrowDown':
      focus(at + 1)
      break
    case 'ArrowUp':
      focus(at - 1)
      break
    case 'Home':
      focus(0)
      break
    case 'End':
      focus(items.length - 1)
      break
    case 'Escape':
    case 'Tab':
      close()
      break
    default:
      return
  }
  event.preventDefault()
  event.stopPropagation()
}
