import { generateKeyPairSync, sign } from 'node:crypto';

/** PEM, as `https.createServer` takes it. */
export type Certificate = { readonly key: string; readonly cert: string };

/**
 * A fresh certificate for 127.0.0.1 and localhost that nobody signed but itself. Written out in
 * DER (X.690, RFC 5280 §4.1), because Node can read certificates but not make them.
 */
export function selfSignedCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const unsigned = sequence(
    explicit(0, integer(2)),
    integer(1),
    ECDSA_WITH_SHA256,
    NAME,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    NAME,
    publicKey.export({ format: 'der', type: 'spki' }),
    explicit(3, sequence(ALTERNATIVE_NAMES, IS_AUTHORITY)),
  );
  const signature = sign('sha256', unsigned, privateKey);
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: pem(sequence(unsigned, ECDSA_WITH_SHA256, bits(signature))),
  };
}

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);
const integer = (value: number): Buffer => element(0x02, Buffer.from([value]));
const utcTime = (text: string): Buffer => element(0x17, Buffer.from(text));
const octets = (content: Uint8Array): Buffer => element(0x04, content);
const bits = (content: Uint8Array): Buffer => element(0x03, Buffer.from([0]), content);
const explicit = (tag: number, content: Uint8Array): Buffer => element(0xa0 | tag, content);
const objectId = (hex: string): Buffer => element(0x06, Buffer.from(hex, 'hex'));

/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'));

/** CN=localhost */
const NAME = sequence(
  element(0x31, sequence(objectId('550403'), element(0x0c, Buffer.from('localhost')))),
);

/** subjectAltName: a DNS name and an IP address. */
const ALTERNATIVE_NAMES = sequence(
  objectId('551d11'),
  octets(
    sequence(element(0x82, Buffer.from('localhost')), element(0x87, Buffer.from([127, 0, 0, 1]))),
  ),
);

/** basicConstraints, critical: so that it can be trusted as its own authority. */
const IS_AUTHORITY = sequence(
  objectId('551d13'),
  element(0x01, Buffer.from([0xff])),
  octets(sequence(element(0x01, Buffer.from([0xff])))),
);

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
