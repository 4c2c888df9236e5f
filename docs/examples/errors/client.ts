import { type Client, RpcError } from '@qrpc/core'
import { Disk } from './contract.ts'

export type DiskClient = Client<typeof Disk>

/** Writes a file, and says in words what became of it. */
export async function write(disk: DiskClient, name: string, text: string): Promise<string> {
  try {
    await disk.write({ name, text })
    return `${name}: written`
  } catch (error) {
    if (Disk.write.isError(error, 'ReadOnly')) return `${error.data.name}: cannot be written`
    if (Disk.write.isError(error, 'NoSpace')) return `${name}: there is room for ${error.data.free} characters`
    // What no contract declares: no server there, out of time, a bug.
    if (error instanceof RpcError) return `${name}: ${error.code}`
    throw error
  }
}

/** Reads files, and says in words what became of each and of the call. */
export async function* read(disk: DiskClient, names: readonly string[]): AsyncGenerator<string, void, undefined> {
  const files = disk.readAll([...names])
  const started = await files.started.then(
    () => true,
    () => false,
  )
  try {
    for await (const file of files) {
      yield file.outcome === 'read' ? `${file.name}: ${file.text}` : `${file.name}: missing`
    }
  } catch (error) {
    if (Disk.readAll.isError(error, 'TooMany')) yield `at once: no more than ${error.data.most} at a time`
    else if (Disk.readAll.isError(error, 'Ejected')) yield `after ${error.data.after}: ejected`
    else if (error instanceof RpcError) yield `${started ? 'halfway' : 'at once'}: ${error.code}`
    else throw error
  }
}
