/** Host and port of an address, with or without a scheme before it. */
export function parseAddress(address: string): { scheme: string; host: string; port: number } {
  const match = /^(?<scheme>[a-z0-9+]+:\/\/)?(?<host>[^:/]+):(?<port>\d+)/.exec(address)
  if (match?.groups === undefined) throw new Error(`"${address}" is no address`)
  const { scheme = '', host = '', port = '' } = match.groups
  return { scheme, host, port: Number(port) }
}
