// A resource as YAML.

import type { Obj } from '../../api/types'
import { yaml } from '../../lib/yaml'
import { Copy } from '../../ui/controls'

export function Yaml({ object }: { object: Obj }) {
  const { apiVersion, kind, ...rest } = object
  const text = yaml({ apiVersion: apiVersion ?? 'containers.rancherdesktop.io/v1alpha1', kind: kind ?? 'Container', ...rest })
  return (
    <div class="yaml">
      <div class="toolbar">
        <Copy text={text} what="the YAML" />
        <span class="detail">rdd ctl get container {object.metadata.name.slice(0, 12)}… -o yaml</span>
      </div>
      <pre tabIndex={0} aria-label="The resource as YAML">
        {text}
      </pre>
    </div>
  )
}
