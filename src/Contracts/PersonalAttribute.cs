namespace Orders.Contracts;

/// <summary>
/// Marks a member of a message that says something about a person: operators see it masked until they say why they need
/// it. Better than marking is leaving it out, as all messages here do.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PersonalAttribute : Attribute;
