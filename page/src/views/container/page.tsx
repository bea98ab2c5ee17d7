// The page of one container.

import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Container } from '../../api/types'
import { containerName, progressText, refusal } from '../../lib/containers'
import { now } from '../../store/clock'
import { containers } from '../../store/resources'
import { Icon } from '../../ui/icons'
import { href, route } from '../../ui/router'
import { Content, Empty, Stale, isOld } from '../../ui/states'
import { ContainerActions } from '../containeractions'
import { ContainerStatus } from '../containercolumns'
import { Refusal } from '../refusal'
import { Details } from './details'
import { ContainerEvents } from './events'
import { Logs } from './logs'
import { Shell } from './shell'
import { Charts } from './stats'
import { Yaml } from './yaml'

const tabs: [id: string, title: string, show: (c: Container) => ComponentChildren][] = [
  ['logs', 'Logs', (c) => <Logs container={c} />],
  ['shell', 'Shell', (c) => <Shell container={c} />],
  ['stats', 'CPU and memory', (c) => <Charts container={c} />],
  ['details', 'Details', (c) => <Details container={c} />],
  ['events', 'Events', (c) => <ContainerEvents container={c} />],
  ['yaml', 'YAML', (c) => <Yaml object={c} />],
]

export function ContainerPage({ name }: { name: string }) {
  const all = containers()
  void all.version.value
  const phase = all.phase.value
  const c = all.byName.get(name)
  useEffect(() => {
    if (c) document.title = `${containerName(c)} · rdd`
  }, [c && containerName(c)])
  return (
    <section class="view fill" aria-labelledby="title">
      <Content phase={phase} what="container">
        {c ? <Known container={c} old={isOld(phase)} /> : <Gone name={name} />}
      </Content>
    </section>
  )
}

function Gone({ name }: { name: string }) {
  return (
    <>
      <h1 id="title" class="hidden">
        Container {name.slice(0, 12)}
      </h1>
      <Empty title="This container does not exist">
        It was removed, or the engine is stopped. <a href={href('containers')}>Show all containers</a>
      </Empty>
    </>
  )
}

function Known({ container, old }: { container: Container; old: boolean }) {
  const name = container.metadata.name
  const tab = route.value.parts[1] ?? 'logs'
  const active = tabs.find(([id]) => id === tab) ?? tabs[0]!
  return (
    <>
      <header class="head">
        <a class="button icon" href={href('containers')} aria-label="All containers" title="All containers">
          <Icon name="back" />
        </a>
        <h1 id="title">{containerName(container)}</h1>
        <ContainerStatus c={container} />
        <span class="detail image">{container.status?.image}</span>
        <Stale />
        <div class="tools">
          <ContainerActions container={container} wide />
        </div>
      </header>
      {!progressText(container) && <Refusal uid={container.metadata.uid} text={refusal(container, now.value)} />}
      <nav class="tabs" aria-label={`Parts of ${containerName(container)}`}>
        {tabs.map(([id, title]) => (
          <a key={id} href={href('containers', name, id)} aria-current={active[0] === id ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div class={old ? 'tab-body stale' : 'tab-body'} key={`${container.metadata.uid} ${active[0]}`}>
        {active[2](container)}
      </div>
    </>
  )
}
