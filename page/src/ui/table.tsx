// A table of any length. The arrow keys move between its rows.

import type { ComponentChildren, TargetedKeyboardEvent } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { place, useVirtual, type Virtual } from './virtual'

export interface Column<T> {
  id: string
  title: string
  // width is one track of a grid, such as 2fr.
  width: string
  // rank says when a narrow page leaves the column out: 1 early, 2 late, 0 never.
  rank?: 0 | 1 | 2
  numeric?: boolean
  cell: (row: T) => ComponentChildren
  sort?: boolean
}

export interface Sorting {
  column: string
  descending: boolean
}

export interface TableProps<T> {
  label: string
  columns: Column<T>[]
  rows: T[]
  rowKey: (row: T) => string
  // banner returns the content of a row that is no data, such as the head of a group.
  banner?: (row: T) => ComponentChildren | undefined
  // note returns what is shown below the cells of a row, over its whole width.
  note?: (row: T) => ComponentChildren
  sorting?: Sorting
  onSort?: (column: string) => void
  stale?: boolean
}

export function Table<T>(props: TableProps<T>) {
  const { columns, rows, label } = props
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtual({
    count: rows.length,
    scroller,
    height: 45,
    key: (index) => (rows[index] ? props.rowKey(rows[index]) : index),
  })
  const table = useRef<HTMLDivElement>(null)
  useEffect(() => setTracks(table.current, columns), [columns])
  return (
    <div class={props.stale ? 'table stale' : 'table'} role="table" aria-label={label} aria-rowcount={rows.length + 1} ref={table}>
      <div role="rowgroup" class="thead">
        <div role="row" class="tr" aria-rowindex={1}>
          {columns.map((column) => (
            <Head key={column.id} column={column} sorting={props.sorting} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" class="tbody" ref={scroller} onKeyDown={(event) => moveFocus(event, virtual, rows.length)}>
        <div role="presentation" class="spacer" style={{ height: `${virtual.height}px` }}>
          {virtual.items.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            return (
              <div key={item.key} role="row" class="tr" aria-rowindex={item.index + 2} data-index={item.index} ref={virtual.measure} style={place(item)}>
                <Cells row={row} {...props} />
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function Cells<T>({ row, columns, banner, note }: { row: T } & TableProps<T>) {
  const below = note?.(row)
  const content = banner?.(row)
  if (content !== undefined) {
    return (
      <div role="cell" class="banner" aria-colspan={columns.length}>
        {content}
      </div>
    )
  }
  return (
    <>
      {columns.map((column) => (
        <div key={column.id} role="cell" class={cellClass(column)}>
          {column.cell(row)}
        </div>
      ))}
      {below && (
        <div role="cell" class="banner" aria-colspan={columns.length}>
          {below}
        </div>
      )}
    </>
  )
}

function cellClass<T>(column: Column<T>): string {
  return ['td', `c-${column.id}`, `rank${column.rank ?? 0}`, column.numeric ? 'num' : ''].join(' ')
}

function Head<T>({ column, sorting, onSort }: { column: Column<T>; sorting: Sorting | undefined; onSort: ((column: string) => void) | undefined }) {
  const sorted = sorting?.column === column.id
  const order = !sorted ? undefined : sorting.descending ? 'descending' : 'ascending'
  return (
    <div role="columnheader" class={cellClass(column)} aria-sort={column.sort ? (order ?? 'none') : undefined}>
      {column.sort && onSort ? (
        <button type="button" class="sort" onClick={() => onSort(column.id)}>
          {column.title}
          <span aria-hidden="true">{order === 'descending' ? ' ↓' : order ? ' ↑' : ''}</span>
        </button>
      ) : (
        column.title || <span class="hidden">Actions</span>
      )}
    </div>
  )
}

// setTracks tells the stylesheet the widths of the columns, also without those that a
// narrow page leaves out.
function setTracks<T>(table: HTMLElement | null, columns: Column<T>[]): void {
  const tracks = (most: number): string =>
    columns
      .filter((column) => !column.rank || column.rank > most)
      .map((column) => column.width)
      .join(' ')
  table?.style.setProperty('--tracks', tracks(0))
  table?.style.setProperty('--tracks-1', tracks(1))
  table?.style.setProperty('--tracks-2', tracks(2))
}

const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }

// moveFocus moves between rows, also to those that are not drawn yet.
function moveFocus(event: TargetedKeyboardEvent<HTMLElement>, virtual: Virtual, count: number): void {
  const target = event.target as HTMLElement
  if (target.closest('input, select, textarea, dialog, [role=menu]')) return
  const body = event.currentTarget
  const from = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index ?? -1)
  let to = from
  if (event.key === 'Home') to = 0
  else if (event.key === 'End') to = count - 1
  else if (event.key in steps) to = from + steps[event.key]!
  else return
  event.preventDefault()
  focusRow(body, virtual, Math.min(Math.max(to, 0), count - 1))
}

function focusRow(body: HTMLElement, virtual: Virtual, index: number, tries = 5): void {
  virtual.show(index)
  const row = body.querySelector<HTMLElement>(`[data-index="${index}"]`)
  const control = row?.querySelector<HTMLElement>('a, button')
  if (control) control.focus({ preventScroll: true })
  else if (tries > 0) requestAnimationFrame(() => focusRow(body, virtual, index, tries - 1))
}
