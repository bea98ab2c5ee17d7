// Stylesheets that are loaded on demand.

const loaded = new Map<string, Promise<void>>()

// loadStyle loads a stylesheet that the document names in a meta element.
export function loadStyle(name: string): Promise<void> {
  let loading = loaded.get(name)
  if (!loading) {
    loading = new Promise((resolve, reject) => {
      const link = document.createElement('link')
      link.rel = 'stylesheet'
      link.href = document.querySelector<HTMLMetaElement>(`meta[name="rdd-style-${name}"]`)?.content ?? ''
      link.onload = () => resolve()
      link.onerror = () => reject(new Error(`the stylesheet ${name} cannot be loaded`))
      document.head.append(link)
    })
    loaded.set(name, loading)
  }
  return loading
}
