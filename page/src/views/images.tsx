// The list of images.

import { computed, signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import type { Image } from '../api/types'
import { compare, wordsOf } from '../lib/containers'
import { age, bytes, count, parseTime, shortID } from '../lib/format'
import { diskSize } from '../lib/usage'
import { now } from '../store/clock'
import { images } from '../store/resources'
import { Button } from '../ui/controls'
import type { Column, Sorting } from '../ui/table'
import { DeleteButton, MirrorList, MirrorName, UsedBy, usedBy } from './mirrorlist'
import { Prune } from './prune'
import { Pulls, PullDialog } from './pull'

const state = { search: signal(''), sorting: signal<Sorting>({ column: 'tag', descending: false }) }

const tagOf = (i: Image): string => i.status?.repoTag ?? ''
const usersOf = (i: Image): string[] | undefined => usedBy.value.images.get(i.status?.id ?? '')

const order: Record<string, (a: Image, b: Image) => number> = {
  tag: (a, b) => Number(!tagOf(a)) - Number(!tagOf(b)) || compare(tagOf(a), tagOf(b)),
  size: (a, b) => (a.status?.size ?? 0) - (b.status?.size ?? 0),
  created: (a, b) => (parseTime(b.status?.createdAt) ?? 0) - (parseTime(a.status?.createdAt) ?? 0),
}

const rows = computed(() => {
  const all = images()
  void all.version.value
  const words = wordsOf(state.search.value)
  const { column, descending } = state.sorting.value
  const list = [...all.items.values()].filter((i) => words.every((word) => `${tagOf(i)} ${i.status?.id ?? ''}`.toLowerCase().includes(word)))
  list.sort(order[column])
  return descending ? list.reverse() : list
})

const columns: Column<Image>[] = [
  {
    id: 'tag',
    title: 'Tag',
    width: 'minmax(10rem, 3fr)',
    sort: true,
    cell: (i) => (
      <MirrorName object={i}>
        <span title={tagOf(i)}>{tagOf(i) || <span class="detail">no tag</span>}</span>
      </MirrorName>
    ),
  },
  { id: 'id', title: 'ID', width: '8rem', rank: 1, cell: (i) => <code>{shortID(i.status?.id)}</code> },
  { id: 'size', title: 'Size', width: '6rem', numeric: true, sort: true, cell: (i) => bytes(i.status?.size) },
  { id: 'users', title: 'Used by', width: 'minmax(7rem, 2fr)', rank: 2, cell: (i) => <UsedBy names={usersOf(i)} /> },
  { id: 'created', title: 'Age', width: '5rem', rank: 2, sort: true, cell: (i) => age(i.status?.createdAt, now.value) },
  { id: 'actions', title: '', width: '3.5rem', cell: (i) => <DeleteImage image={i} /> },
]

function DeleteImage({ image }: { image: Image }) {
  const tag = tagOf(image)
  const text = tag ? 'The tag is removed, and the image with its last tag.' : 'The image is removed.'
  return <DeleteButton object={image} resource="images" name={tag || `image ${shortID(image.status?.id)}`} text={text} users={usersOf(image)} />
}

export function Images() {
  const [dialog, setDialog] = useState<'pull' | 'prune' | undefined>()
  const all = images()
  void all.order.value
  return (
    <>
      <MirrorList
        title="Images"
        summary={`${count(all.items.size, 'image')}, ${bytes(diskSize(all.items.values()))}`}
        all={all}
        rows={rows.value}
        columns={columns}
        state={state}
        tools={
          <>
            <Button label="Pull…" icon="download" kind="primary" onClick={() => setDialog('pull')} />
            <Button label="Prune…" icon="delete" onClick={() => setDialog('prune')} />
          </>
        }
        above={<Pulls />}
        empty={{ title: 'No images', text: 'Pull one, or build one with docker build. It appears here at once.' }}
      />
      {dialog === 'pull' && <PullDialog onClose={() => setDialog(undefined)} />}
      {dialog === 'prune' && <Prune onClose={() => setDialog(undefined)} />}
    </>
  )
}
