import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api'
import type { Metadata } from '@qrpc/core'

/** How propagators read a call's metadata. Bytes are nothing that they write. */
export const metadataGetter: TextMapGetter<Metadata> = {
  keys: (metadata) => [...new Set([...metadata].map(([key]) => key))],
  get(metadata, key) {
    const values = metadata.getAll(key).filter((value) => typeof value === 'string')
    return values.length > 1 ? values : values[0]
  },
}

/** How propagators write to a call's metadata. */
export const metadataSetter: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => metadata.set(key, value),
}
