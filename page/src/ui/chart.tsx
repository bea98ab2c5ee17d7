// A chart of one value over time.

import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'

export interface Series {
  // times in seconds, and the values at these times.
  times: number[]
  values: number[]
}

export interface ChartProps {
  label: string
  series: Series
  format: (value: number) => string
  // span is the length of the time axis in seconds.
  span: number
  // most is the least upper end of the value axis.
  most?: number
  // binary values have steps of the value axis that are powers of two.
  binary?: boolean
}

// loadPlot loads the library, which the first view does not need.
const loadPlot = async (): Promise<typeof uPlot> => (await import('uplot')).default

export function Chart({ label, series, format, span, most = 0, binary = false }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const range = useRef({ span, most, binary })
  const latest = useRef(series)
  latest.current = series
  const [Plot, setPlot] = useState<typeof uPlot | undefined>(undefined)
  useEffect(() => {
    // Without the library, the values are shown without a chart.
    loadPlot().then((loaded) => setPlot(() => loaded), () => undefined)
  }, [])
  useEffect(() => {
    const element = box.current
    if (!element || !Plot) return
    const create = (): void => {
      plot.current?.destroy()
      plot.current = new Plot(options(element, format, range.current), data(latest.current), element)
    }
    create()
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: 160 }))
    resized.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', create)
    return () => {
      resized.disconnect()
      scheme.removeEventListener('change', create)
      plot.current?.destroy()
    }
  }, [Plot])
  useEffect(() => plot.current?.setData(data(series)), [series])
  const last = series.values.at(-1)
  return <div class="chart" ref={box} role="img" aria-label={`${label}: ${last === undefined ? 'no value yet' : `now ${format(last)}`}`} />
}

// The first seconds have a time axis of this length in seconds.
const leastSpan = 60
const powers = Array.from({ length: 44 }, (_, i) => 2 ** i)

function data(series: Series): uPlot.AlignedData {
  return [series.times, series.values]
}

function options(element: HTMLElement, format: (value: number) => string, range: { span: number; most: number; binary: boolean }): uPlot.Options {
  const style = getComputedStyle(element)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const axis = { stroke: color('--text-2'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' }
  return {
    width: element.clientWidth,
    height: 160,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, min, max) => [max - Math.min(Math.max(max - min, leastSpan), range.span), max] },
      y: { range: (_, __, max) => [0, Math.max(max * 1.15, range.most, 1e-9)] },
    },
    axes: [
      { ...axis, space: 90, values: (_, ticks) => ticks.map((t) => new Date(t * 1000).toTimeString().slice(0, 8)) },
      { ...axis, size: 76, values: (_, ticks) => ticks.map(format), ...(range.binary ? { incrs: powers } : {}) },
    ],
    series: [{}, { stroke: color('--accent'), fill: color('--accent-soft'), width: 2, points: { show: false } }],
  }
}
