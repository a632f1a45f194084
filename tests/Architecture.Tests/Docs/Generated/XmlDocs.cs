using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>The XML documentation of compiled members, as text for a Markdown table.</summary>
internal static partial class XmlDocs
{
    private static readonly ConcurrentDictionary<Assembly, Dictionary<string, XElement>> Files = new();

    /// <summary>
    /// What the summary of a property says, or the description of the parameter that a record makes it from; empty when
    /// there is neither.
    /// </summary>
    public static string Summary(PropertyInfo property) =>
        Text(
            Member(property)?.Element("summary")
                ?? Of(property.DeclaringType!, $"T:{NameOf(property.DeclaringType!)}")
                    ?.Elements("param")
                    .SingleOrDefault(p => p.Attribute("name")!.Value == property.Name)
        );

    /// <summary>What the property's <c>value</c> says: the unit of a number.</summary>
    public static string Value(PropertyInfo property) => Text(Member(property)?.Element("value"));

    /// <summary>What the summary of a type says.</summary>
    public static string Summary(Type type) => Text(Of(type, $"T:{NameOf(type)}")?.Element("summary"));

    private static XElement? Member(PropertyInfo property) =>
        Of(property.DeclaringType!, $"P:{NameOf(property.DeclaringType!)}.{property.Name}");

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static XElement? Of(Type type, string name) => Files.GetOrAdd(type.Assembly, Read).GetValueOrDefault(name);

    private static Dictionary<string, XElement> Read(Assembly assembly)
    {
        var path = Path.ChangeExtension(assembly.Location, ".xml");
        return XDocument.Load(path).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value);
    }

    private static string Text(XElement? element) =>
        element is null ? "" : Space().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{Last(see)}`",
            XElement other => string.Concat(other.Nodes().Select(Text)),
            _ => "",
        };

    private static string Last(XElement see) =>
        see.Attribute("langword")?.Value ?? see.Attribute("cref")!.Value.Split('.', ':')[^1];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
