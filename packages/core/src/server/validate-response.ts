import { type Schema, validate } from '../schema.ts'

/**
 * The response as its schema makes it, or a promise of it.
 *
 * @throws TypeError when the schema refuses it: that is the server's mistake, and the client is not told what is wrong with it.
 */
export function validateResponse(schema: Schema, response: unknown): unknown {
  try {
    const checked = validate(schema, response, 'response')
    return checked instanceof Promise ? checked.catch(refused) : checked
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): never {
  throw new TypeError(error instanceof Error ? error.message : String(error), { cause: error })
}
