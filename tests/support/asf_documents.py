"""A person with a hip and a femur as ASF, and three frames of it as AMC."""

# The femur points down and bends about the file's Y axis: its own X axis is turned there by 90 about Z.
ASF = """# comment
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name hip
     direction 1 0 0
     length 2
     axis 0 0 0 XYZ
  end
  begin
     id 2
     name femur
     direction 0 -2 0
     length 7
     axis 0 0 90 XYZ
     dof rx rz
     limits (-160.0 20.0)
            (-70.0 70.0)
  end
:hierarchy
  begin
    root hip
    hip femur
  end
"""
AMC = """#!OML:ASF F:\\VICON\\somebody.ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 10 -3 0 0 0
femur 0 0
2
root 1 10 -3 0 90 0
femur 90 0
3
root 1 10 -3 0 0 0
femur 0 -.5
"""
