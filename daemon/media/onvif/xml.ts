/** What a camera answers in XML as a small tree, by local names, because every vendor has prefixes of its own. */
import { createXmlEvents } from '../../../firmware-bridge/import/xml-events.ts'

export interface XmlNode {
  name: string
  attributes: Readonly<Record<string, string>>
  text: string
  children: XmlNode[]
}

export const MAX_XML_BYTES = 256 * 1024
const MAX_NODES = 5000

/** The root; null for what is no XML, is too large, nests too deep or brings entities of its own. */
export function parseXml(bytes: Uint8Array): XmlNode | null {
  if (bytes.length > MAX_XML_BYTES) return null
  const root: XmlNode = { name: '', attributes: {}, text: '', children: [] }
  const path: XmlNode[] = [root]
  let nodes = 0
  let broken = false
  const events = createXmlEvents({
    open(name, attributes) {
      if (++nodes > MAX_NODES) broken = true
      if (broken) return
      const node = { name, attributes, text: '', children: [] }
      path.at(-1)?.children.push(node)
      path.push(node)
    },
    close(_name, text) {
      const node = path.pop()
      if (node !== undefined) node.text = text
    },
    onBroken() {
      broken = true
    },
  })
  events.push(bytes)
  events.end()
  return broken ? null : (root.children[0] ?? null)
}

/** Every node of this name below `node`, in document order; nodes inside a found one are not looked at. */
export function all(node: XmlNode, name: string): XmlNode[] {
  return node.children.flatMap((child) => (child.name === name ? [child] : all(child, name)))
}

/** The first node along a path of names, each anywhere below the one before. */
export function first(node: XmlNode, ...names: readonly string[]): XmlNode | null {
  let found: XmlNode | null = node
  for (const name of names) found = found === null ? null : (all(found, name)[0] ?? null)
  return found
}

/** Text made safe to stand in XML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
