// Draws only the rows that are visible. It connects the virtual list to Preact.

import { Virtualizer, elementScroll, observeElementOffset, observeElementRect, type VirtualItem } from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks'

export interface Virtual {
  items: VirtualItem[]
  height: number
  // measure is the ref of each row, which has the attribute data-index.
  measure: (row: HTMLElement | null) => void
  show: (index: number, align?: 'auto' | 'start' | 'end') => void
}

export interface VirtualOptions {
  count: number
  scroller: RefObject<HTMLElement | null>
  // height of a row in pixels, before it is measured.
  height: number
  overscan?: number
  key?: (index: number) => string | number
}

export function useVirtual({ count, scroller, height, overscan = 8, key }: VirtualOptions): Virtual {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  // The first frame has only the rows that are visible.
  const [isDrawn, setDrawn] = useState(false)
  useEffect(() => setDrawn(true), [])
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: isDrawn ? overscan : 0,
    getItemKey: key ?? ((index: number) => index),
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    initialRect: { width: 1000, height: innerHeight },
    onChange: () => redraw(undefined),
  }
  const [list] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options))
  list.setOptions(options)
  useLayoutEffect(() => list._didMount(), [list])
  useLayoutEffect(() => list._willUpdate())
  return {
    items: list.getVirtualItems(),
    height: list.getTotalSize(),
    measure: list.measureElement,
    show: (index, align = 'auto') => list.scrollToIndex(index, { align }),
  }
}

// place puts a row at its offset. Styles are set by script, as the policy of the page
// allows none in the document.
export function place(item: VirtualItem): { transform: string } {
  return { transform: `translateY(${item.start}px)` }
}
