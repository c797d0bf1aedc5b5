"""What all panels of the sidebar tab share."""

__all__ = ["Panel"]


class Panel:
    """Mixin: a panel in the tab "PALLAS"."""

    bl_category = "PALLAS"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def column(self):
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        return self.layout.column()
