import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "./available.js";
import { runProgram } from "./server-process.js";

/** Makes a certificate authority in a folder, and a certificate of it for 127.0.0.1 and for a client. */
export function makeCertificates(folder: string) {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => runProgram(program("openssl"), args);
  const subject = (name: string) => ["-nodes", "-newkey", "rsa:2048", "-subj", `/CN=${name}`];
  openssl("req", "-x509", ...subject("authority"), "-keyout", at("ca.key"), "-out", at("ca.pem"));
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
  for (const name of ["server", "client"]) {
    const request = at(`${name}.csr`);
    openssl("req", ...subject(name), "-keyout", at(`${name}.key`), "-out", request);
    const signing = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at("names")];
    openssl("x509", "-req", "-in", request, ...signing, "-out", at(`${name}.pem`));
  }
  return {
    ca: at("ca.pem"),
    server: { cert: at("server.pem"), key: at("server.key") },
    client: { cert: at("client.pem"), key: at("client.key") },
  };
}
