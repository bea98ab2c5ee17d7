// Icons are decoration: the text or label beside one says the same.

const paths: Record<string, string> = {
  overview: 'M3 11l9-8 9 8M5 10v10h14V10M10 20v-6h4v6',
  containers: 'M4 7l8-4 8 4v10l-8 4-8-4zM4 7l8 4 8-4M12 11v10',
  images: 'M4 5h16v14H4zM4 15l5-5 5 5 3-3 3 3M15 9h.01',
  volumes: 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0',
  networks: 'M9 3h6v6H9zM3 15h6v6H3zM15 15h6v6h-6zM12 9v3M6 15v-3h12v3',
  tree: 'M5 3v16h6M5 11h6M13 8h8v6h-8zM13 16h8v6h-8zM3 3h4',
  settings: 'M4 6h10M18 6h2M4 12h2M10 12h10M4 18h8M16 18h4M16 4v4M8 10v4M14 16v4',
  doctor: 'M3 12h4l2-6 4 12 3-8 1 2h4',
  start: 'M7 4l13 8-13 8z',
  stop: 'M6 6h12v12H6z',
  restart: 'M20 12a8 8 0 1 1-3-6.200M20 3v5h-5',
  pause: 'M8 5v14M16 5v14',
  delete: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  more: 'M5 11h1v2H5zM11.500 11h1v2h-1zM18 11h1v2h-1z',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 9l6 6 6-6',
  right: 'M9 6l6 6-6 6',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  download: 'M12 3v12M7 10l5 5 5-5M4 20h16',
  copy: 'M8 8h12v12H8zM4 16V4h12',
  warning: 'M12 3l10 18H2zM12 10v5M12 18h.01',
  back: 'M15 6l-6 6 6 6',
}

export type IconName = keyof typeof paths

export function Icon({ name, spin }: { name: string; spin?: boolean }) {
  return (
    <svg class={spin ? 'icon spin' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name] ?? ''} />
    </svg>
  )
}
