"""Whatever we define: libvirt's schema allows its XML, and it reads back as it was."""

from __future__ import annotations

import string
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.libvirt_.reading import definition_of, owner_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_definition
from reconciler.kinds.domain import DomainKind
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition
from tests.corpus.libvirt.conftest import Complaint
from tests.corpus.libvirt.data import dialect, spec_of
from tests.corpus.libvirt.definitions import definitions, successors

FORMATS: Formats = defaultdict(lambda: "qcow2")
texts = st.text(string.printable.strip(), min_size=1, max_size=60)
owners = st.builds(Owner, environment=texts, name=texts, digest=texts)


@given(definition=definitions(), owner=owners)
def test_a_definition_reads_back_as_it_was(
    complaint: Complaint, definition: DomainDefinition, owner: Owner
) -> None:
    text = domain_xml(definition, owner, dialect(), FORMATS)
    root = parse(text)
    assert complaint(text) == ""
    assert DomainKind().diff(spec_of(definition), spec_of(definition_of(root, dialect()))) == ()
    assert owner_of(root) == owner


@given(both=successors(), owner=owners)
def test_one_definition_becomes_any_other(
    complaint: Complaint, both: tuple[DomainDefinition, DomainDefinition], owner: Owner
) -> None:
    first, then = both
    known = domain_xml(first, owner, dialect(), FORMATS)
    text = domain_xml(then, owner, dialect(), FORMATS, known)
    assert complaint(text) == ""
    found = definition_of(parse(text), dialect())
    assert is_same_definition(then, found)
    assert DomainKind().diff(spec_of(then), spec_of(found)) == ()
