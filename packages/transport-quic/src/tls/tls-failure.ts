// RFC 9000, section 20.1. TLS alerts in QUIC are transport errors from 0x100 on (RFC 9001, section 4.8; RFC 8446, section 6).
const ERRORS: Readonly<Record<number, string>> = {
  2: 'the server takes no connections (CONNECTION_REFUSED)',
  298: 'the certificate is bad, or for another name',
  299: 'the certificate is of a kind that is not supported',
  300: 'the certificate was revoked',
  301: 'the certificate has expired',
  302: 'the certificate is not accepted',
  304: 'the certificate is of an unknown authority',
  307: 'a signature is wrong: the certificate is not of the authority that it names',
  305: 'access is denied',
  372: 'a client certificate is required',
  376: 'the other side does not speak qrpc/1 (ALPN)',
}

/** Whether a transport error code stands for an alert of TLS. */
export function isAlert(errorCode = 0): boolean {
  return errorCode >= 256 && errorCode < 512
}

/** What a transport error code means for somebody who looks for the reason. */
export function describeTransportError(errorCode: number): string {
  return ERRORS[errorCode] ?? (isAlert(errorCode) ? `TLS alert ${errorCode - 256}` : `QUIC error ${errorCode}`)
}
