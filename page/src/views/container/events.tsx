// The events of a container.

import { useEffect, useState } from 'preact/hooks'
import type { Container, Event } from '../../api/types'
import type { Collection } from '../../store/collection'
import { eventsOf } from '../../store/resources'
import { Content, Empty } from '../../ui/states'
import { Events, latest } from '../overview'

export function ContainerEvents({ container }: { container: Container }) {
  const [events, setEvents] = useState<Collection<Event>>()
  useEffect(() => {
    const all = eventsOf(container)
    setEvents(all)
    return () => all.stop()
  }, [container.metadata.uid])
  if (!events) return null
  void events.version.value
  return (
    <Content phase={events.phase.value} what="events">
      {events.items.size === 0 ? (
        <Empty title="No events">Events tell what the engine refused, failed health checks and restarts. They are kept for an hour.</Empty>
      ) : (
        <Events events={latest(events.items.values())} />
      )}
    </Content>
  )
}
