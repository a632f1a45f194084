// sbom.mjs IMAGE FOLDER: one CycloneDX document out of the parts that ./dev sbom has put into the folder.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [image, folder] = process.argv.slice(2);
const read = (name) => readFileSync(join(folder, name), "utf8");
const lines = (name) => read(name).split("\n").filter((line) => line.trim() !== "");
const library = (purl, name, version, more = {}) => ({ type: "library", "bom-ref": purl, name, version, purl, ...more });

// The tool's list has hashes, licences and what depends on what. Packages that are needed for building only have no file in the image.
const bom = JSON.parse(read("nuget.json"));
const { targets, libraries } = JSON.parse(read("deps.json"));
const hasFiles = (library) => ["runtime", "native", "runtimeTargets", "resources"].some((kind) => kind in library);
const loaded = Object.values(targets).flatMap((target) =>
  Object.entries(target)
    .filter(([name, library]) => hasFiles(library) && libraries[name].type === "package")
    .map(([name]) => name.replace("/", "@").toLowerCase()),
);
const packages = (bom.components ?? []).filter((component) => loaded.includes(`${component.name}@${component.version}`.toLowerCase()));
const listed = new Set(packages.map((component) => `${component.name}@${component.version}`.toLowerCase()));
const missing = loaded.filter((name) => !listed.has(name));
if (missing.length > 0) {
  console.error(`error: expected every package of the image in the list of CycloneDX, found no ${missing.join(", ")}. Is the image older than the sources?`);
  process.exit(1);
}

const distribution = Object.fromEntries(
  lines("os-release").map((line) => line.split("=")).map(([key, value]) => [key, (value ?? "").replaceAll('"', "")]),
);
const system = `${distribution.ID}-${distribution.VERSION_ID ?? distribution.VERSION_CODENAME}`;
const debian = lines("debian.tsv").map((line) => {
  const [name, version, architecture, source] = line.split("\t");
  const qualifiers = new URLSearchParams({ arch: architecture, distro: system, ...(source && source !== name ? { upstream: source } : {}) });
  return library(`pkg:deb/${distribution.ID}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${qualifiers}`, name, version);
});

// "Microsoft.NETCore.App 10.0.1 [/usr/share/dotnet/shared/Microsoft.NETCore.App]"
const runtimes = lines("runtimes.txt").map((line) => {
  const [name, version] = line.split(" ");
  return { ...library(`pkg:generic/${name}@${version}`, name, version), type: "framework" };
});

// What a browser loads; packages for building only are not in the image.
const npm = existsSync(join(folder, "npm.json"))
  ? Object.entries(JSON.parse(read("npm.json")).packages)
      .filter(([path, entry]) => path !== "" && !entry.dev)
      .map(([path, entry]) => {
        const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
        const purl = `pkg:npm/${name.replace("@", "%40")}@${entry.version}`;
        const [algorithm, hash] = entry.integrity.split("-");
        const hashes = [{ alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(hash, "base64").toString("hex") }];
        return library(purl, name, entry.version, { hashes, ...(entry.license ? { licenses: [{ license: { id: entry.license } }] } : {}) });
      })
  : [];

const id = read("id").trim();
bom.metadata.component = {
  type: "container",
  "bom-ref": `orders-${image}`,
  name: `orders-${image}`,
  version: id,
  components: [{ type: "operating-system", name: distribution.ID, version: distribution.VERSION_ID ?? distribution.VERSION_CODENAME ?? "" }],
};
bom.components = [...packages, ...runtimes, ...npm, ...debian];
// A component may be named as often as it is a root; a reference only once.
const known = new Set([bom.metadata.component["bom-ref"], ...bom.components.map((component) => component["bom-ref"])]);
bom.dependencies = (bom.dependencies ?? [])
  .filter((dependency) => known.has(dependency.ref))
  .map(({ ref, dependsOn }) => ({ ref, ...(dependsOn ? { dependsOn: dependsOn.filter((other) => known.has(other)) } : {}) }));
process.stdout.write(JSON.stringify(bom, null, 2) + "\n");
