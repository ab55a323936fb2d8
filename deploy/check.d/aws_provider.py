"""The arguments and attributes of the AWS provider of Terraform, read from the TypeScript interfaces that CDK for
Terraform generated from the provider's schema (npm package @cdktf/provider-aws, MPL-2.0). Knows no Terraform file."""

import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

# Generated from version 6.25.0 of the provider.
PACKAGE = "@cdktf/provider-aws@21.22.1"

INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
# The comment before a property has its name as Terraform spells it.
PROPERTY = re.compile(r"/\*\*(?P<comment>(?:(?!\*/).)*)\*/\s*readonly (?P<name>\w+)(?P<optional>\?)?: (?P<type>[^;]+)", re.DOTALL)
GETTER = re.compile(r"^    (?:private _\w+;\n    )?get (\w+)\(\)", re.MULTILINE)


@dataclass
class Argument:
    required: bool
    # The interface of a nested block; none where the argument is a value.
    interface: str | None


class Schema:
    """One resource or data source."""

    def __init__(self, text):
        self._interfaces = dict(INTERFACE.findall(text))
        self.root = next(n for n in self._interfaces if f"interface {n} extends cdktf.TerraformMetaArguments" in text)
        self._getters = {snake(name) for name in GETTER.findall(text)}

    def arguments(self, interface):
        """The arguments of the resource itself, or of a nested block, by name."""
        found = {}
        for match in PROPERTY.finditer(self._interfaces[interface]):
            spelled = re.search(r"#([a-z0-9_]+) ", match["comment"])
            name = spelled.group(1) if spelled else snake(match["name"])
            # A map is `{`, and no interface.
            nested = re.split(r"\W", match["type"].strip(), maxsplit=1)[0]
            found[name] = Argument(
                required=not match["optional"],
                interface=nested if nested in self._interfaces else None,
            )
        return found

    def attributes(self):
        """What can be asked of it."""
        return self._getters | {"id"}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


class AwsProvider:
    """Reads what is asked for from the package, which is got once and kept in the cache of tools."""

    def __init__(self):
        cache = Path(os.environ["DEPLOY_CACHE"]) / PACKAGE.replace("/", "_").replace("@", "_")
        archives = list(cache.glob("*.tgz"))
        if not archives:
            cache.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=cache, check=True, stdout=subprocess.DEVNULL)
            archives = list(cache.glob("*.tgz"))
        self._schemas = {}
        self._unpack(archives[0], cache)

    def _unpack(self, archive, cache):
        """Declarations alone: a twentieth of the package."""
        kept = cache / "declarations"
        if not (kept / "complete").exists():
            with tarfile.open(archive) as package:
                for member in package:
                    if member.name.endswith(".d.ts") and member.name.startswith("package/lib/"):
                        target = kept / member.name.removeprefix("package/lib/")
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.write_bytes(package.extractfile(member).read())
            (kept / "complete").touch()
        self._kept = kept

    def schema(self, kind, type_):
        """A resource or data source by its type, as in aws_sqs_queue; none if the provider has none."""
        name = type_.removeprefix("aws_").replace("_", "-")
        folder = self._kept / (f"data-aws-{name}" if kind == "data" else name)
        if folder not in self._schemas:
            files = sorted(folder.rglob("*.d.ts"))
            self._schemas[folder] = Schema("\n".join(f.read_text() for f in files)) if files else None
        return self._schemas[folder]
