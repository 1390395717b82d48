import { describe, expect, test } from "vitest";
import { parseServerAddress, withoutPassword } from "../../src/store/server-address.js";

const options = { defaultPort: 2379, known: ["ca"] };

describe("an address of servers", () => {
  test("names one host, and nothing else", () => {
    expect(parseServerAddress("etcd://h1", options)).toEqual({
      scheme: "etcd",
      username: undefined,
      password: undefined,
      endpoints: [{ host: "h1", port: 2379 }],
      path: "",
      parameters: new Map(),
    });
  });

  test("names several hosts, who asks, a path and parameters", () => {
    const address = "etcds://me:a%3Ab%40c@h1:1,[::1]:2,10.0.0.3/app/one?ca=%2Fetc%2Fca.pem";
    expect(parseServerAddress(address, options)).toEqual({
      scheme: "etcds",
      username: "me",
      password: "a:b@c",
      endpoints: [
        { host: "h1", port: 1 },
        { host: "::1", port: 2 },
        { host: "10.0.0.3", port: 2379 },
      ],
      path: "app/one",
      parameters: new Map([["ca", "/etc/ca.pem"]]),
    });
  });

  test.each([
    ["etcd:h1", "must look like"],
    ["etcd://", "no host"],
    ["etcd://h1,,h2", "no host"],
    ["etcd://h1:0", "no host"],
    ["etcd://h1:99999", "no host"],
    ["etcd://h1:port", "no host"],
    ["etcd://h1/%zz", "hexadecimal"],
    ["etcd://h1?cert=x", '"cert"; it takes ca'],
  ])("that makes no sense is refused: %s", (address, reason) => {
    expect(() => parseServerAddress(address, options)).toThrow(
      expect.objectContaining({
        code: "bad-input",
        message: expect.stringContaining(reason) as string,
      }) as Error,
    );
  });

  test("is shown without a password among its parameters", () => {
    const address = "postgres://h1/db?user=me&password=secret&sslmode=require";
    expect(withoutPassword(address)).toBe("postgres://h1/db?user=me&password=***&sslmode=require");
  });

  test("is shown without its password", () => {
    for (const password of ["secret", "se:c@ret"]) {
      const address = `etcd://me:${password}@h1?cert=x`;
      expect(() => parseServerAddress(address, options)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("ret") as string }) as Error,
      );
    }
  });
});
