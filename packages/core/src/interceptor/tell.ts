/** Runs a callback of the user's that must not change what becomes of the call. */
export function tell(name: string, callback: () => void): void {
  try {
    callback()
  } catch (error) {
    console.error(`qrpc: ${name} threw`, error)
  }
}
