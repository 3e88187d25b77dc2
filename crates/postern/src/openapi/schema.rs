//! The schemas of the messages, read from their descriptors.

use postern_proto::{COMMENTS, FILE_DESCRIPTOR_SET};
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorSet, MessageOptions,
    field_descriptor_proto::{Label, Type},
};
use serde_json::{Map, Value, json};

use super::bounds;

/// Packages whose messages are shown.
const SHOWN: [&str; 3] = [
    "scalekit.v1.auth.passwordless",
    "scalekit.v1.auditlogs",
    "scalekit.v1.errdetails",
];

/// Every schema by its name.
pub(super) fn all() -> Value {
    let mut schemas = super::oauth::schemas();
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
    for file in set
        .file
        .iter()
        .filter(|file| SHOWN.contains(&file.package()))
    {
        for kind in &file.enum_type {
            schemas.insert(kind.name().to_owned(), enumeration(file.package(), kind));
        }
        for message in &file.message_type {
            insert_message(&mut schemas, file.package(), message);
        }
    }
    Value::Object(schemas)
}

/// Where the schema of a message or enum is.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn insert_message(schemas: &mut Map<String, Value>, package: &str, message: &DescriptorProto) {
    let nested = message.nested_type.iter().filter(|inner| !is_map(inner));
    for inner in nested {
        insert_message(schemas, package, inner);
    }
    schemas.insert(message.name().to_owned(), object(package, message));
}

fn is_map(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry)
}

fn object(package: &str, message: &DescriptorProto) -> Value {
    let fields = message.field.iter();
    let properties: Map<_, _> = fields
        .clone()
        .map(|field| (field.name().to_owned(), property(package, message, field)))
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    // Requests may leave out what has a default, and say more than we know.
    if !message.name().ends_with("Request") {
        let always = fields.filter(|field| field.oneof_index.is_none() && !is_message(field));
        schema["required"] = always.map(|field| json!(field.name())).collect();
    }
    describe(&mut schema, &format!("{package}.{}", message.name()));
    merge(&mut schema, bounds::of_message(message.name()));
    schema
}

fn property(package: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> Value {
    let mut schema = typed(message, field);
    if field.label() == Label::Repeated && schema.get("additionalProperties").is_none() {
        schema = json!({"type": "array", "items": schema});
    }
    let name = format!("{package}.{}.{}", message.name(), field.name());
    describe(&mut schema, &name);
    merge(&mut schema, bounds::of_field(message.name(), field.name()));
    schema
}

/// The JSON form of a field's type (contract §8): 64-bit integers are strings, enums are names.
fn typed(message: &DescriptorProto, field: &FieldDescriptorProto) -> Value {
    let target = field.type_name().rsplit('.').next().unwrap_or_default();
    match field.r#type() {
        Type::Int64 | Type::Uint64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"})
        }
        Type::Uint32 => json!({"type": "integer", "format": "uint32", "minimum": 0}),
        Type::Int32 => json!({"type": "integer", "format": "int32"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Message
            if message
                .nested_type
                .iter()
                .any(|inner| inner.name() == target && is_map(inner)) =>
        {
            json!({"type": "object", "additionalProperties": {"type": "string"}})
        }
        Type::Message if target == "Timestamp" => json!({"type": "string", "format": "date-time"}),
        Type::Enum | Type::Message => reference(target),
        _ => json!({"type": "string"}),
    }
}

fn is_message(field: &FieldDescriptorProto) -> bool {
    field.r#type() == Type::Message && field.label() != Label::Repeated
}

fn enumeration(package: &str, kind: &EnumDescriptorProto) -> Value {
    let names: Vec<_> = kind
        .value
        .iter()
        .map(EnumValueDescriptorProto::name)
        .collect();
    let mut schema = json!({"type": "string", "enum": names});
    describe(&mut schema, &format!("{package}.{}", kind.name()));
    schema
}

fn describe(schema: &mut Value, name: &str) {
    if let Some((_, comment)) = COMMENTS.iter().find(|(of, _)| *of == name) {
        schema["description"] = json!(comment);
    }
}

fn merge(schema: &mut Value, more: Value) {
    if let (Value::Object(members), Value::Object(more)) = (schema, more) {
        members.extend(more);
    }
}
