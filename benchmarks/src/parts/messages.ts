/** What the price of checking is measured on. */
export const messages: Readonly<Record<string, unknown>> = {
  number: 12345,
  'object of 20 bytes': { id: 1234, name: 'ada', on: true },
  'object tree of 1 KB': {
    id: 'a1b2c3d4-0000-4000-8000-1234567890ab',
    created: new Date(1_700_000_000_000),
    author: { name: 'Ada Lovelace', mail: 'ada@example.org', admin: false, logins: 1815 },
    tags: ['engine', 'analysis', 'note G', 'bernoulli'],
    position: { latitude: 51.5203, longitude: -0.1293, accuracy: 12 },
    items: Array.from({ length: 10 }, (_, i) => ({
      sku: `part-${i}`,
      label: `wheel number ${i} of the mill`,
      count: i * 3,
      price: i + 0.25,
      stock: i % 2 === 0,
    })),
  },
  'Uint8Array of 64 KiB': new Uint8Array(64 * 1024).fill(7),
  'array of 10,000 numbers': Array.from({ length: 10_000 }, (_, i) => i * 7),
}
