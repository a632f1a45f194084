using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Orders.Infrastructure;
using QueueWorkers.Hosting;
using QueueWorkers.Retention;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>One setting as the reference shows it.</summary>
internal sealed record Setting(string Key, string Value, string Default, string Unit, string Meaning)
{
    /// <summary>The environment variable.</summary>
    public static string VariableOf(string key) => key.Replace(":", "__", StringComparison.Ordinal);
}

/// <summary>The settings of one options class: a class <c>…Options</c> with a static <c>Read</c>.</summary>
internal sealed partial class OptionsSection
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static;

    // The range of each setting, from the message that refuses a value outside of it.
    private static readonly Dictionary<string, string> Ranges = Repository
        .Sources("src")
        .SelectMany(path => Range().Matches(Repository.Read(path)))
        .GroupBy(m => m.Groups["key"].Value)
        .ToDictionary(g => g.Key, g => Quoted().Replace(g.First().Groups["range"].Value, "`$1$2`"));

    private readonly Type _type;
    private readonly HashSet<string> _required;

    private OptionsSection(Type type)
    {
        _type = type;
        Name = Section().Match(XmlDocs.Summary(type)).Groups[1].Value;
        Assert.That(Name, Is.Not.Empty, $"the summary of {type} names its section: 'section <c>…</c>'");
        var (asked, problems) = Ask();
        _required = [.. problems.SelectMany(p => Variable().Matches(p)).Select(m => m.Groups[1].Value)];
        Settings = [.. SettingsOf(type, Activator.CreateInstance(type, nonPublic: true)!, Name)];

        var listed = Settings.Select(s => s.Key).ToArray();
        Assert.That(listed, Is.SubsetOf(asked), $"settings of {type.Name}, which its Read asks for");
        var derived = type.GetProperties().Where(p => !p.CanWrite).Select(p => $"{Name}:{p.Name}");
        var parents = listed.Select(key => key[..key.LastIndexOf(':')]);
        var others = type.GetProperties()
            .Where(p => ReadOf(p.PropertyType) is not null)
            .Select(p => $"{Name}:{p.Name}")
            .ToArray();
        Assert.That(
            asked
                .Except(listed)
                .Except(derived)
                .Except(parents)
                .Where(key => !others.Any(other => $"{key}:".StartsWith($"{other}:", StringComparison.Ordinal))),
            Is.Empty,
            $"keys that {type.Name}.Read asks for, which no setting of the reference has"
        );
    }

    public static IReadOnlyList<OptionsSection> All { get; } =
    [
        .. Product
            .Assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && ReadOf(type) is not null)
            .Select(type => new OptionsSection(type))
            .OrderBy(section => section.Name, StringComparer.Ordinal)
            .ThenBy(section => section._type.Name, StringComparer.Ordinal),
    ];

    /// <summary>The section's name, such as <c>Api:RateLimit</c>.</summary>
    public string Name { get; }

    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>The step whose workers read the section; null when all do.</summary>
    public string? Step =>
        _type.Namespace!.StartsWith("Orders.Workers.", StringComparison.Ordinal)
            ? _type.Namespace.Split('.')[^1].ToLowerInvariant()
        : _type.Namespace == "Orders.Smtp" ? "email"
        : null;

    /// <summary>A setting of the section with a value that it refuses.</summary>
    public (string Key, string Value) Mistake
    {
        get
        {
            // An address only where there is nothing else: some hosts do not read it.
            foreach (
                var setting in Settings.OrderBy(s => s.Value.StartsWith("address", StringComparison.Ordinal) ? 1 : 0)
            )
            {
                if (MistakeIn(setting.Value) is { } value)
                    return (setting.Key, value);
            }

            return ($"{Name}:FontDirectory", "/nowhere");
        }
    }

    private static string? MistakeIn(string type) =>
        type.StartsWith("integer", StringComparison.Ordinal) ? "-1"
        : type.StartsWith("duration", StringComparison.Ordinal) ? "-00:00:01"
        : type.StartsWith("address", StringComparison.Ordinal) ? "nowhere"
        : null;

    private static MethodInfo? ReadOf(Type type) =>
        type.GetMethods(Any)
            .SingleOrDefault(m =>
                m.Name == "Read"
                && m.GetParameters() is [var first, ..]
                && first.ParameterType == typeof(IConfiguration)
            );

    // What Read asks for when the section exists and has nothing that is known.
    private (IReadOnlyCollection<string> Asked, IReadOnlyList<string> Problems) Ask()
    {
        var asked = new AskedKeys($"{Name}:Nothing");
        var configuration = new ConfigurationBuilder().Add(asked).Build();
        var problems = new ConfigurationProblems();
        var read = ReadOf(_type)!;
        var arguments = read.GetParameters()
            .Select(p =>
                p.ParameterType == typeof(IConfiguration) ? configuration
                : p.ParameterType == typeof(ConfigurationProblems) ? problems
                : p.ParameterType == typeof(IReadOnlyList<RetentionRule>) ? RetentionRulesOfAll
                : p.DefaultValue
            )
            .ToArray();
        try
        {
            read.Invoke(null, arguments);
            problems.ThrowIfAny();
        }
        catch (TargetInvocationException thrown) when (thrown.InnerException is InvalidConfigurationException found)
        {
            return (asked.Keys, found.Problems);
        }
        catch (InvalidConfigurationException found)
        {
            return (asked.Keys, found.Problems);
        }

        return (asked.Keys, []);
    }

    private static RetentionRule[] RetentionRulesOfAll => [.. RetentionRules.Framework, .. OrderRetention.Rules];

    private IEnumerable<Setting> SettingsOf(Type type, object values, string section)
    {
        foreach (var property in type.GetProperties().Where(p => p.CanWrite))
        {
            var value = property.GetValue(values);
            // What the key is called where the property holds what was made of it.
            var isSecret = property.PropertyType == typeof(byte[]);
            var key =
                $"{section}:{(isSecret ? property.Name.Replace("Key", "Secret", StringComparison.Ordinal) : property.Name)}";
            if (property.PropertyType == typeof(IReadOnlyList<RetentionRule>))
            {
                foreach (var rule in RetentionRulesOfAll)
                    yield return new Setting(
                        $"{section}:{rule.Name}",
                        $"duration, at least {rule.Least}",
                        $"`{rule.Keep}`",
                        "d.hh:mm:ss",
                        $"How long rows of `{rule.Table}` are kept, counted from `{rule.Age}`."
                    );
            }
            else if (ReadOf(property.PropertyType) is not null)
            {
                // A section of its own, with a table of its own.
            }
            else if (TypeOf(property.PropertyType) is { } text)
            {
                yield return Of(property, key, text, value);
            }
            else
            {
                foreach (var inner in SettingsOf(property.PropertyType, value!, key))
                    yield return inner;
            }
        }
    }

    private Setting Of(PropertyInfo property, string key, string type, object? value)
    {
        var meaning = XmlDocs.Summary(property);
        Assert.That(meaning, Is.Not.Empty, $"{property.DeclaringType}.{property.Name} has a summary");
        var unit = type switch
        {
            "integer" => XmlDocs.Value(property),
            "duration" => "d.hh:mm:ss",
            _ => "–",
        };
        Assert.That(
            unit,
            Is.Not.Empty,
            $"{property.DeclaringType}.{property.Name} is a number and has its unit in <value>"
        );
        var said = Default().Match(meaning).Groups[1].Value;
        return new Setting(
            key,
            type is not ("address" or "true or false") && Ranges.TryGetValue(key, out var range)
                ? $"{type}, {range}"
                : type,
            DefaultOf(key, value, said),
            unit,
            Default().Replace(meaning, "").Trim()
        );
    }

    // The documentation's words where the value alone does not say it: it depends on something, or there is none.
    private string DefaultOf(string key, object? value, string said)
    {
        var depends = Depends().IsMatch(said);
        return value switch
        {
            _ when depends => said,
            null or "" when said != "" => said,
            null or "" when _required.Contains(Setting.VariableOf(key)) => "required",
            null or "" => "none",
            bool yes => yes ? "`true`" : "`false`",
            _ => $"`{Convert.ToString(value, CultureInfo.InvariantCulture)}`",
        };
    }

    private static string? TypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(int) || type == typeof(long) => "integer",
            _ when type == typeof(TimeSpan) => "duration",
            _ when type == typeof(string) => "text",
            _ when type == typeof(Uri) => "address",
            _ when type == typeof(byte[]) => "text",
            { IsEnum: true } => "one word",
            _ => null,
        };
    }

    [GeneratedRegex("section `([A-Za-z:]+)`")]
    private static partial Regex Section();

    [GeneratedRegex(@"\bset ([A-Za-z_]+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\s*Default(?: of the configuration)?: (.+?)\.(?=\s|$)")]
    private static partial Regex Default();

    [GeneratedRegex(@"\b(?:for|with|where|as the server)\b")]
    private static partial Regex Depends();

    [GeneratedRegex(@"""(?<key>[A-Z]\w+(?::[A-Z]\w+)+) must be (?!set,)(?<range>[^{}""]+?), (?:got|found)\b")]
    private static partial Regex Range();

    // What is quoted in a message, or is an address, is code on a page.
    [GeneratedRegex(@"'([^']+)'|(https?://[^\s,]+)")]
    private static partial Regex Quoted();

    // A configuration with one key, which remembers what it was asked for.
    private sealed class AskedKeys(string only) : ConfigurationProvider, IConfigurationSource
    {
        private readonly HashSet<string> _keys = new(StringComparer.Ordinal);

        public IReadOnlyCollection<string> Keys => [.. _keys.Where(key => key != only)];

        public IConfigurationProvider Build(IConfigurationBuilder builder)
        {
            Set(only, "x");
            return this;
        }

        public override bool TryGet(string key, out string? value)
        {
            if (key.Contains(':', StringComparison.Ordinal))
                _keys.Add(key);
            return base.TryGet(key, out value);
        }
    }
}
