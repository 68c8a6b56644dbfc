"""What libvirt fills in, moves about or spells anew is no difference to us."""

from __future__ import annotations

from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.refusal import Refused
from reconciler.kinds.domain import DomainKind
from tests.corpus.libvirt.data import Data, read, spec_of

# Strict: what is listed and does not happen (any more) is a failure as well.
REFUSED = {
    "input/minimal-no-memory.xml": "without memory",
    "input/pci-bridge-duplicate-index.xml": "without uuid",
    "input/pci-bridge-negative-index-invalid.xml": "without uuid",
    "input/pci-root-address.xml": "without uuid",
    "input/pci-root-nonzero-index.xml": "without uuid",
}
DIFFERENT = {
    "disk-network-iscsi.xml": "iSCSI units are written out: without a number it is unit 0",
    "memory-hotplug-nvdimm-ppc64-abi-update.xml": "on POWER, what an NVDIMM has counts as memory",
}
LEAST_LIKENESS = 0.99


def test_there_is_a_corpus_to_read(data: Data) -> None:
    assert len(data.inputs) > 1000
    assert len(data.outputs) > 600


def test_each_file_is_read_or_refused_with_a_reason(data: Data) -> None:
    found = {name: read(text) for name, text in data.texts.items()}  # anything else is raised
    refused = {name: str(each) for name, each in found.items() if isinstance(each, Refused)}
    assert refused.keys() == REFUSED.keys()
    assert [name for name, reason in REFUSED.items() if reason not in refused[name]] == []


def test_what_libvirt_makes_of_a_domain_is_no_difference(data: Data) -> None:
    different = {
        output: [str(change) for change in changes]
        for output, given in data.pairs.items()
        if (changes := differences(data.inputs[given], data.outputs[output]))
    }
    assert different.keys() == DIFFERENT.keys(), different
    assert len(different) <= (1 - LEAST_LIKENESS) * len(data.outputs)


def test_what_libvirt_makes_of_a_domain_needs_no_write(data: Data) -> None:
    different = {
        output
        for output, given in data.pairs.items()
        if not is_same(data.inputs[given], data.outputs[output])
    }
    assert different == DIFFERENT.keys()


def differences(given: str, made: str) -> tuple[object, ...]:
    desired, observed = read(given), read(made)
    if isinstance(desired, Refused) or isinstance(observed, Refused):
        return () if type(desired) is type(observed) else (desired, observed)
    return DomainKind().diff(spec_of(desired), spec_of(observed))


def is_same(given: str, made: str) -> bool:
    desired, observed = read(given), read(made)
    if isinstance(desired, Refused) or isinstance(observed, Refused):
        return type(desired) is type(observed)
    return is_same_definition(desired, observed)
