import CMetaLearners
import MetaLearnersCore

/// Reads a plug-in's table, of which nothing can be taken for granted.
enum PluginTableReader {
    /// Larger sizes than this are taken for a mistake: no version of the table comes near it.
    private static let largestSize = 4096
    /// More bytes than this in a text of the table are taken for a missing NUL.
    private static let longestText = 1 << 20

    /// A copy of the table at `pointer`; members that it does not have yet are zero.
    ///
    /// - Throws: `unsupported` for another ABI version; `invalidArgument` for NULL and for a size that is none.
    static func read(_ pointer: UnsafePointer<mtlr_plugin_vtable>?, at place: String)
        throws(MetaLearnersError)
        -> mtlr_plugin_vtable
    {
        guard let pointer, UInt(bitPattern: pointer).isMultiple(of: 8) else {
            throw MetaLearnersError(.invalidArgument, at: place, "the plug-in's table is NULL or not aligned")
        }
        // A table of another version agrees with ours in its first two members only.
        let bytes = UnsafeRawPointer(pointer)
        let size = bytes.load(as: UInt.self)
        let version = bytes.load(fromByteOffset: MemoryLayout<UInt>.size, as: Int32.self)
        guard version == MTLR_PLUGIN_ABI_VERSION else {
            throw MetaLearnersError(
                .unsupported, at: place,
                "the plug-in is made for version \(version) of the plug-in interface; this is version "
                    + "\(MTLR_PLUGIN_ABI_VERSION)",
                remedy: "compile it with the metalearners_plugin.h of this version")
        }
        let known = MemoryLayout<mtlr_plugin_vtable>.size
        guard size >= UInt(known), size <= UInt(largestSize) else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "the plug-in's table says that it has \(size) bytes, and version \(version) has \(known)",
                remedy: "set struct_size to sizeof(mtlr_plugin_vtable)")
        }
        return bytes.load(as: mtlr_plugin_vtable.self)
    }

    /// A text of the table.
    ///
    /// - Throws: `invalidArgument` where it is NULL, empty or not UTF-8.
    static func text(_ pointer: UnsafePointer<CChar>?, _ member: String, at place: String)
        throws(MetaLearnersError) -> String
    {
        guard let pointer else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "the plug-in's table has no '\(member)' (it is NULL)")
        }
        var length = 0
        while pointer[length] != 0, length < longestText { length += 1 }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: length)
        guard length > 0, length < longestText, let text = String(validating: bytes, as: UTF8.self) else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "'\(member)' of the plug-in's table is empty, endless or not UTF-8")
        }
        return text
    }
}
