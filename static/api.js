// Swagger UI knows English alone. Its own words, said in Chinese; what comes from the API is Chinese already.
"use strict";

const WORDS = {
  "Authorize": "填写令牌",
  "Authorized": "已填写令牌",
  "Available authorizations": "接口令牌",
  "Value:": "令牌：",
  "Logout": "清除",
  "Close": "关闭",
  "Parameters": "参数",
  "No parameters": "没有参数",
  "Name": "名称",
  "Description": "说明",
  "required": "必填",
  "Request body": "请求内容",
  "Send empty value": "发送空值",
  "Add string item": "加一项",
  "Try it out": "试一试",
  "Cancel": "取消",
  "Reset": "重置",
  "Execute": "发送",
  "Clear": "清空",
  "Responses": "答复",
  "Server response": "收到的答复",
  "Response body": "答复内容",
  "Response headers": "答复头",
  "Curl": "curl 命令",
  "Request URL": "请求地址",
  "Request duration": "用时",
  "Code": "状态码",
  "Details": "内容",
  "Links": "",
  "No links": "",
  "Media type": "内容类型",
  "Controls": "决定请求头",
  "header.": "",
  "Example Value": "示例",
  "Schema": "结构",
  "Download": "下载",
  "Download file": "下载文件",
  "Undocumented": "未说明",
  "Loading...": "载入中…",
  "Failed to fetch.": "没有收到答复。",
};

const QUOTED = "pre, code, textarea, .opblock-summary-path";

function translate(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = texts.currentNode; text; text = texts.nextNode()) {
    const word = text.nodeType === Node.TEXT_NODE ? WORDS[text.nodeValue.trim()] : undefined;
    if (word !== undefined && !text.parentElement?.closest(QUOTED)) {
      text.nodeValue = word;
    }
  }
}

new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "characterData") {
      translate(change.target);
    }
    change.addedNodes.forEach(translate);
  }
}).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true, characterData: true });
