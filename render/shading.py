"""Node trees of materials, written short."""

from collections.abc import Sequence

import bpy

__all__ = ["Nodes", "linear", "new_material"]

Colour = tuple[float, float, float]


class Nodes:
    """Nodes added to one tree.

    A value given for an input is a number, a vector, a colour, or the output of another node.
    """

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(
        self, kind: str, inputs: dict[str | int, object] | None = None, **settings: object
    ) -> bpy.types.Node:
        """A node, as `add("TexNoise", {"Scale": 5.0})`."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            socket = node.inputs[name]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            elif socket.type == "RGBA":
                socket.default_value = (*value, 1.0)
            else:
                socket.default_value = value
        return node

    def attribute(self, name: str) -> bpy.types.NodeSocket:
        """A vector that the mesh keeps for every vertex."""
        return self.add("Attribute", attribute_name=name).outputs["Vector"]

    def mixed(self, share: object, first: object, second: object) -> bpy.types.NodeSocket:
        """Two colours mixed."""
        node = self.tree.nodes.new("ShaderNodeMix")
        node.data_type = "RGBA"
        sockets = [s for s in node.inputs if s.enabled]
        for socket, value in zip(sockets, (share, first, second), strict=True):
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            elif socket.type == "RGBA":
                socket.default_value = (*value, 1.0)
            else:
                socket.default_value = value
        return next(s for s in node.outputs if s.enabled)

    def maths(self, operation: str, *values: object) -> bpy.types.NodeSocket:
        """A number from numbers, as `maths("MULTIPLY", a, 2.0)`."""
        inputs: dict[str | int, object] = dict(enumerate(values))
        return self.add("Math", inputs, operation=operation).outputs[0]

    def ramp(self, value: object, low: float, high: float) -> bpy.types.NodeSocket:
        """0 where the value is below `low`, 1 above `high`."""
        inputs: dict[str | int, object] = {"Value": value, "From Min": low, "From Max": high}
        return self.add("MapRange", inputs).outputs["Result"]


def new_material(
    name: str, colour: Sequence[float] = (0.5, 0.5, 0.5), roughness: float = 0.6
) -> tuple[bpy.types.Material, Nodes, bpy.types.Node]:
    """A material, its nodes, and its one shader (Principled BSDF).

    Args:
        name: of the material; Blender adds a number where it is taken.
        colour: linear RGB.
        roughness: 0 for a mirror, 1 for chalk.
    """
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # 5.0 gives every material nodes and deprecates the switch
        material.use_nodes = True
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    material.diffuse_color = (*colour, 1.0)
    return material, Nodes(material.node_tree), shader


def linear(code: str) -> Colour:
    """Linear RGB of a colour as the web writes it, `#a07e56` (sRGB, IEC 61966-2-1)."""
    values = [int(code[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue
