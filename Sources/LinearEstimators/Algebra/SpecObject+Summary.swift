import MetaLearnersCore

extension SpecObject {
    /// Reads the summary of a fitted model, which is stored as JSON.
    ///
    /// - Throws: `corruptModel`.
    init(summaryFrom reader: inout BinaryReader) throws(MetaLearnersError) {
        let text = try reader.readString()
        guard let value = try? SpecValue(json: text.utf8, source: "model"), let object = value.objectValue
        else {
            throw BinaryReader.corrupt("the summary of a model makes no sense")
        }
        self = object
    }
}
